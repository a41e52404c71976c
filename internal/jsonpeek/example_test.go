// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"fmt"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

func ExampleCursor() {
	body := []byte(`{
		"model": "llama3.2",
		"messages": [{"role": "user", "content": "Hello,\nworld"}],
		"stream": true,
		"metadata": {"anything": [1, 2, 3]}
	}`)

	c := jsonpeek.New(body)
	if c.Object() {
		for c.Next() {
			switch string(c.Key()) {
			case "model":
				raw, _ := c.Str()
				fmt.Println("model:", jsonpeek.Unquote(raw))
			case "messages":
				fmt.Printf("messages: %s\n", c.Value())
			case "stream":
				on, _ := c.Bool()
				fmt.Println("stream:", on)
			}
			// What no case consumed is checked and skipped by Next.
		}
	}
	if err := c.End(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// model: llama3.2
	// messages: [{"role": "user", "content": "Hello,\nworld"}]
	// stream: true
}

func ExamplePath() {
	body := []byte(`{"messages":[{"role":"user","content":[{"type":"text","text":oops}]}]}`)
	if err, ok := jsonpeek.Valid(body).(*jsonpeek.SyntaxError); ok {
		fmt.Println(err)
		fmt.Println(jsonpeek.Path(body, err.Offset))
	}
	// Output:
	// invalid JSON at byte 61: expected a value, found 'o'
	// messages[0].content[0].text
}
