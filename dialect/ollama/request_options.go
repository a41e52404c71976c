// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// optionNames are the options that Ollama knows and a request has no field for.
// A client of another dialect may give them as top-level keys.
var optionNames = []string{
	"num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread",
	"min_p", "typical_p", "repeat_last_n", "repeat_penalty",
}

// topNames are the top-level keys of Ollama's that anyone may give.
var topNames = []string{"keep_alive", "think", "truncate", "shift"}

// toolList writes the tools, unless the model must not call any.
func (w *writer) toolList(q *hoosh.Request) {
	if q.ToolChoice.Mode == "none" || len(q.Tools) == 0 {
		return
	}
	if q.ToolChoice.Raw != nil || q.ToolChoice.Mode == "required" || q.ToolChoice.Mode == "function" {
		w.drop("tool_choice")
	}
	if q.ParallelTools != nil && !*q.ParallelTools {
		w.drop("parallel_tool_calls")
	}
	n := 0
	for i := range q.Tools {
		t := &q.Tools[i]
		if t.Type != "" && !w.native {
			w.drop(fmt.Sprintf("tools[%d]", i))
			continue
		}
		if n == 0 {
			w.raw(`,"tools":[`)
		}
		w.tool(i, t)
		w.raw(",")
		n++
	}
	if n > 0 {
		w.dst[len(w.dst)-1] = ']'
	}
}

func (w *writer) tool(i int, t *hoosh.Tool) {
	if t.Type != "" {
		w.value(t.Raw, fmt.Sprintf("tools[%d]", i))
		return
	}
	w.raw(`{"type":"function","function":{"name":`)
	w.quote(t.Name)
	if !t.Description.IsEmpty() {
		w.raw(`,"description":`)
		w.dst = t.Description.AppendJSON(w.dst)
	}
	w.raw(`,"parameters":`)
	if t.Parameters == nil {
		w.raw(`{"type":"object","properties":{}}`)
	} else {
		w.value(t.Parameters, fmt.Sprintf("tools[%d].function.parameters", i))
	}
	w.raw("}")
	if t.Strict != nil && *t.Strict {
		w.drop("strict")
	}
	w.members(t.Extra)
	w.raw("}")
}

// members writes those without a field, which are in this dialect's words or are
// named. Notes are another encoder's.
func (w *writer) members(x hoosh.Extra) {
	for i := range x {
		switch {
		case x[i].IsNote():
		case w.native:
			w.member(x[i])
		default:
			w.drop(x[i].Key)
		}
	}
}

// member writes one more member of an object that has some.
func (w *writer) member(x hoosh.Member) {
	w.raw(",")
	w.quote(x.Key)
	w.raw(":")
	w.value(x.Value, x.Key)
}

// extras writes the top-level keys that no field of a request stands for.
func (w *writer) extras(q *hoosh.Request) {
	for _, x := range q.Extra {
		switch {
		case x.IsNote():
		case x.Key == "options", !w.native && slices.Contains(optionNames, x.Key):
			// written by options
		case w.native, slices.Contains(topNames, x.Key), !w.stream && w.op == hoosh.OpChat && (x.Key == "logprobs" || x.Key == "top_logprobs"):
			w.member(x)
		default:
			w.drop(x.Key)
		}
	}
}

// options writes the options: those that the caller gave in Ollama's own words,
// then what the fields of the request say besides.
func (w *writer) options(q *hoosh.Request) error {
	given := q.Extra.Get("options")
	from := len(w.dst)
	if given != nil {
		c := jsonpeek.NewDepth(given, jsonpeek.MaxDepth)
		if !c.Object() && !c.Null() {
			return invalid(w.op, "options", "want an object of Ollama's options")
		}
		for c.Next() {
			w.option(jsonpeek.Unquote(c.Key()), c.Value())
		}
		if err := c.End(); err != nil { // of a Go caller's making
			return invalid(w.op, "options", err.Error())
		}
	}
	if !w.native {
		for _, x := range q.Extra {
			if slices.Contains(optionNames, x.Key) && member(given, x.Key) == nil {
				w.option(x.Key, x.Value)
			}
		}
	}
	w.sampling(q, given)
	if len(w.dst) > from {
		rest := string(w.dst[from+1:])
		w.dst = append(append(append(w.dst[:from], `,"options":{`...), rest...), '}')
	}
	return nil
}

func (w *writer) option(name string, value json.RawMessage) {
	w.member(hoosh.Member{Key: name, Value: value})
}

// sampling writes the fields for which the caller gave no option.
func (w *writer) sampling(q *hoosh.Request, given json.RawMessage) {
	free := func(name string) bool { return given == nil || member(given, name) == nil }
	number := func(name string, p *float64) {
		if p == nil || !free(name) {
			return
		}
		if math.IsNaN(*p) || math.IsInf(*p, 0) {
			w.err = invalid(w.op, name, "want a finite number")
		} else {
			w.option(name, strconv.AppendFloat(nil, *p, 'g', -1, 64))
		}
	}
	whole := func(name string, n int64) {
		if free(name) {
			w.option(name, strconv.AppendInt(nil, n, 10))
		}
	}
	if q.MaxTokens > 0 {
		whole("num_predict", int64(q.MaxTokens))
	}
	number("temperature", q.Temperature)
	number("top_p", q.TopP)
	if q.TopK != nil {
		whole("top_k", int64(*q.TopK))
	}
	if q.Seed != nil {
		whole("seed", *q.Seed)
	}
	number("frequency_penalty", q.FrequencyPenalty)
	number("presence_penalty", q.PresencePenalty)
	if len(q.Stop) > 0 && free("stop") {
		list := []byte("[")
		for i, s := range q.Stop {
			if i > 0 {
				list = append(list, ',')
			}
			list = s.AppendJSON(list)
		}
		w.option("stop", append(list, ']'))
	}
}
