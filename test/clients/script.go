// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"fmt"
	"image/png"
	"regexp"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/hooshtest"
)

// What the scripted models say. The checks of all languages are written against
// it.
const (
	hello       = "Hello from the backend 🎈"
	weather     = `{"city":"Köln","unit":"celsius"}`
	elsewhere   = `{"city":"Paris","unit":"celsius"}`
	event       = `{"name":"Science fair","participants":["Alice","Bob"]}`
	refusalText = "'temperature' is out of range."
)

// helloUsage is reported with hello.
var helloUsage = hooshtest.Usage{Prompt: 11, Completion: 5, Cached: 3}

// asked is what a request says, whatever its format.
type asked struct {
	prompt  string   // the text of the last message
	all     string   // the text of all messages of users
	tools   []string // names
	results []string // of tools, in order, from the whole conversation
	answers bool     // the last message holds results
	schema  bool     // a JSON Schema of the answer came along
	images  [][]byte
}

// answer is what a model says to that.
func (a *asked) answer() (text string, calls []hooshtest.ToolCall) {
	if folder := taskFolder.FindStringSubmatch(a.all); folder != nil && len(a.tools) > 0 {
		return a.task(folder[1])
	}
	switch {
	case len(a.images) > 0:
		return a.describe(), nil
	case a.answers:
		return "The tool says " + strings.Join(a.results, " and "), nil
	case len(a.tools) > 0 && strings.Contains(a.prompt, "both"):
		return "", []hooshtest.ToolCall{
			{ID: "call_first", Name: a.tools[0], Arguments: weather},
			{ID: "call_second", Name: a.tools[0], Arguments: elsewhere},
		}
	case slices.Equal(a.tools, []string{"json"}): // how the AI SDK asks models that it does not know for an answer by a schema
		return "", []hooshtest.ToolCall{{ID: "call_json", Name: "json", Arguments: event}}
	case len(a.tools) > 0:
		return "", []hooshtest.ToolCall{{ID: "call_only", Name: a.tools[0], Arguments: weather}}
	case a.schema:
		return event, nil
	}
	return hello, nil
}

// describe says of images what only one who has their bytes can say.
func (a *asked) describe() string {
	var list []string
	for _, data := range a.images {
		m, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			list = append(list, "something that is no PNG: "+err.Error())
			continue
		}
		r, g, b, _ := m.At(0, 0).RGBA()
		list = append(list, fmt.Sprintf("%dx%d pixels of #%02x%02x%02x", m.Bounds().Dx(), m.Bounds().Dy(), r>>8, g>>8, b>>8))
	}
	return "I see " + strings.Join(list, " and ")
}

// The task of agents: to add the numbers in two files of a folder. It takes two
// calls of tools side by side, then one whose arguments come from their results,
// then an answer that comes from its result.
var (
	taskFolder = regexp.MustCompile(`Add the numbers in the folder ([\w./-]+)\.`)
	first      = regexp.MustCompile(`first=(\d+)`)
	second     = regexp.MustCompile(`second=(\d+)`)
	sum        = regexp.MustCompile(`sum=(\d+)`)
)

func (a *asked) task(folder string) (string, []hooshtest.ToolCall) {
	x, y, z := a.find(first), a.find(second), a.find(sum)
	switch {
	case z != "":
		return "The sum is " + z, nil
	case x != "" && y != "":
		return "", a.run("call_sum", "echo sum=$(expr "+x+" + "+y+")")
	case len(a.results) > 0:
		return "The tools do not tell the numbers: " + strings.Join(a.results, " | "), nil
	}
	if slices.Contains(a.tools, "Read") {
		read := func(id, file string) hooshtest.ToolCall {
			return hooshtest.ToolCall{ID: id, Name: "Read", Arguments: fmt.Sprintf(`{"file_path":%q}`, folder+"/"+file)}
		}
		return "", []hooshtest.ToolCall{read("call_first", "first.txt"), read("call_second", "second.txt")}
	}
	return "", append(a.run("call_first", "cat "+folder+"/first.txt"), a.run("call_second", "cat "+folder+"/second.txt")...)
}

// run is a call of the tool that runs commands.
func (a *asked) run(id, command string) []hooshtest.ToolCall {
	for _, tool := range [...]struct{ name, argument string }{{"Bash", "command"}, {"exec_command", "cmd"}} {
		if slices.Contains(a.tools, tool.name) {
			return []hooshtest.ToolCall{{ID: id, Name: tool.name, Arguments: fmt.Sprintf(`{%q:%q}`, tool.argument, command)}}
		}
	}
	return nil
}

// find looks for a number in the results of tools, and nowhere else.
func (a *asked) find(what *regexp.Regexp) string {
	for _, result := range a.results {
		if m := what.FindStringSubmatch(result); m != nil {
			return m[1]
		}
	}
	return ""
}
