// SPDX-License-Identifier: AGPL-3.0-only

// Package exampletest has what the tests of the examples share: a router in front
// of a scripted backend, in memory.
package exampletest

import (
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/compat"
)

// Router knows the models of the examples, "writer" and "agent". Both say again
// what they were told; where there is a tool they call it once, and then tell what
// it has found.
func Router(t *testing.T) *hoosh.Router {
	t.Helper()
	hooshtest.CheckGoroutines(t)
	b := hooshtest.New(t)
	b.Script(answer(t))
	router, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{
			{Name: "acme", Driver: "compat", BaseURL: b.URL(), DialContext: b.DialContext, Models: []string{"small", "large"}},
		},
		Aliases: map[string]string{"writer": "acme/small", "agent": "acme/large"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := router.Close(); err != nil {
			t.Error(err)
		}
	})
	return router
}

// body is what the script looks at.
type body struct {
	Messages []struct {
		Role       string
		ToolCallID string `json:"tool_call_id"`
		ToolCalls  []struct {
			ID       string
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
	}
	Tools []struct {
		Function struct {
			Name       string
			Parameters struct{ Required []string }
		}
	}
}

const arguments = `{"text":"the sky"}`

func answer(t *testing.T) func(*hooshtest.Request) hooshtest.Answer {
	return func(q *hooshtest.Request) hooshtest.Answer {
		var b body
		if err := q.JSON(&b); err != nil || len(b.Messages) == 0 {
			t.Errorf("the backend was sent %s", q.Body)
			return hooshtest.Status(400, 0)
		}
		last := b.Messages[len(b.Messages)-1]
		switch {
		case last.Role == "tool":
			before := b.Messages[len(b.Messages)-2].ToolCalls
			if len(before) != 1 || before[0].ID != last.ToolCallID || before[0].Function.Name != "search" ||
				strings.ReplaceAll(before[0].Function.Arguments, " ", "") != strings.ReplaceAll(arguments, " ", "") {
				t.Errorf("the result answers no call: %s", q.Body)
			}
			return hooshtest.Text("I found: " + q.Prompt())
		case len(b.Tools) > 0:
			f := b.Tools[0].Function
			if f.Name != "search" || len(f.Parameters.Required) != 1 || f.Parameters.Required[0] != "text" {
				t.Errorf("the tool is %+v", f)
			}
			return hooshtest.Tool("search", arguments)
		}
		return hooshtest.Answer{} // what was said
	}
}
