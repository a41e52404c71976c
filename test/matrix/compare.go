// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// diffs collects what differs.
type diffs []string

func (d *diffs) add(what string, want, got any) {
	*d = append(*d, fmt.Sprintf("%s: %s, want %s", what, word(got), word(want)))
}

// word shows a value on one line.
func word(v any) string {
	s := fmt.Sprint(v)
	if strings.ContainsFunc(s, unicode.IsControl) || strings.TrimSpace(s) != s || s == "" {
		s = strconv.Quote(s)
	}
	return short(s)
}

func compare[T comparable](d *diffs, what string, want, got T) {
	if want != got {
		d.add(what, want, got)
	}
}

func comparePtr[T comparable](d *diffs, what string, want, got *T) {
	switch {
	case want == nil && got == nil:
	case want == nil:
		d.add(what, "nothing", *got)
	case got == nil:
		d.add(what, *want, "nothing")
	default:
		compare(d, what, *want, *got)
	}
}

func compareJSON(d *diffs, what string, want, got json.RawMessage) {
	compare(d, what, client.Canonical(string(want)), client.Canonical(string(got)))
}

// sameAsk compares what was meant with what the vendor understood. Both have
// the model's name as the vendor knows it.
func sameAsk(want, got neutral.Ask, in, out string) (d diffs) {
	compare(&d, "model", want.Model, got.Model)
	compare(&d, "stream", want.Stream, got.Stream)
	sameTurns(&d, want.Turns, got.Turns, in, out)
	compare(&d, "number of tools", len(want.Tools), len(got.Tools))
	for i := range min(len(want.Tools), len(got.Tools)) {
		at := fmt.Sprintf("tools[%d].", i)
		compare(&d, at+"name", want.Tools[i].Name, got.Tools[i].Name)
		compare(&d, at+"description", want.Tools[i].Description, got.Tools[i].Description)
		compareJSON(&d, at+"parameters", want.Tools[i].Parameters, got.Tools[i].Parameters)
	}
	choice := func(s string) string {
		if s == "" {
			return "auto" // what every vendor does unless told
		}
		return s
	}
	compare(&d, "tool choice", choice(want.Choice), choice(got.Choice))
	parallel := func(p *bool) bool { return p == nil || *p }
	compare(&d, "parallel switch", parallel(want.Parallel), parallel(got.Parallel))
	if want.Schema != nil || got.Schema != nil {
		compareJSON(&d, "schema", want.Schema, got.Schema)
		if can(in, hasName) && can(out, hasName) {
			compare(&d, "name of the schema", want.SchemaName, got.SchemaName)
		}
	}
	compare(&d, "whether to think", want.Effort != "" || want.Budget > 0, got.Effort != "" || got.Budget > 0)
	if want.MaxTokens > 0 {
		compare(&d, "max tokens", want.MaxTokens, got.MaxTokens)
	}
	comparePtr(&d, "temperature", want.Temperature, got.Temperature)
	comparePtr(&d, "top_p", want.TopP, got.TopP)
	comparePtr(&d, "seed", want.Seed, got.Seed)
	if !slices.Equal(want.Stop, got.Stop) {
		d.add("stop sequences", want.Stop, got.Stop)
	}
	compare(&d, "number of choices", max(want.N, 1), max(got.N, 1))
	return d
}

func sameTurns(d *diffs, want, got []neutral.Turn, in, out string) {
	w, g := meaning(want, in, out), meaning(got, in, out)
	for i := range max(len(w), len(g)) {
		at := fmt.Sprintf("turns[%d]", i)
		if i >= len(w) || i >= len(g) {
			d.add("number of turns", outline(w), outline(g))
			return
		}
		if w[i].Role != g[i].Role {
			d.add(at+".role", outline(w), outline(g))
			return
		}
		sameParts(d, at, w[i].Parts, g[i].Parts)
	}
}

func outline(turns []neutral.Turn) string {
	var b strings.Builder
	for _, t := range turns {
		fmt.Fprintf(&b, "%s(%s) ", t.Role, outlineParts(t.Parts))
	}
	return strings.TrimSpace(b.String())
}

func outlineParts(parts []neutral.Part) string {
	var kinds []string
	for _, p := range parts {
		kinds = append(kinds, kind(p))
	}
	return strings.Join(kinds, ", ")
}

func kind(p neutral.Part) string {
	switch {
	case p.Call != nil:
		return "call " + p.Call.Name
	case p.Result != nil:
		return "result"
	case p.Image != nil:
		return "image"
	case p.File != nil:
		return "file"
	case p.Thinking != "" || p.Signature != "" && p.Text == "":
		return "thinking"
	}
	return "text"
}

func sameParts(d *diffs, at string, want, got []neutral.Part) {
	for i := range max(len(want), len(got)) {
		at := fmt.Sprintf("%s[%d]", at, i)
		if i >= len(want) || i >= len(got) || kind(want[i]) != kind(got[i]) {
			d.add(at, show(want), show(got))
			return
		}
		w, g := want[i], got[i]
		compare(d, at+".text", w.Text, g.Text)
		compare(d, at+".thinking", w.Thinking, g.Thinking)
		sameMedia(d, at+".image", w.Image, g.Image)
		sameMedia(d, at+".file", w.File, g.File)
		if w.Call != nil {
			compare(d, at+".call.id", w.Call.ID, g.Call.ID)
			compare(d, at+".call.args", client.Canonical(w.Call.Args), client.Canonical(g.Call.Args))
		}
		if w.Result != nil {
			compare(d, at+".result.id", w.Result.ID, g.Result.ID)
			compare(d, at+".result.text", w.Result.Text, g.Result.Text)
			compare(d, at+".result.failed", w.Result.Failed, g.Result.Failed)
			sameMedia(d, at+".result.image", w.Result.Image, g.Result.Image)
		}
	}
}

// show is parts with what is in them.
func show(parts []neutral.Part) string {
	b, err := json.Marshal(parts)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func sameMedia(d *diffs, at string, want, got *neutral.Media) {
	switch {
	case want == nil && got == nil:
	case want == nil || got == nil:
		d.add(at, fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got))
	default:
		compare(d, at+".url", want.URL, got.URL)
		compare(d, at+".data", want.Data, got.Data)
		if want.Type != "" && got.Type != "" && want.URL == "" {
			compare(d, at+".type", want.Type, got.Type)
		}
	}
}

// meaning brings a conversation to one form: neighbours of one role joined,
// thinking left out, calls numbered in place of their ids, results in the order
// of the calls, and without what either format has no words for.
func meaning(turns []neutral.Turn, in, out string) []neutral.Turn {
	var ms []neutral.Turn
	ids := &callIDs{names: map[string]string{}}
	for _, t := range turns {
		if t.Role == "developer" {
			t.Role = "system"
		}
		var parts []neutral.Part
		for _, p := range t.Parts {
			switch {
			case p.Call != nil:
				c := *p.Call
				c.ID = ids.call(c.ID, c.Name)
				p = neutral.Part{Call: &c}
			case p.Result != nil:
				p = neutral.Part{Result: ids.result(p.Result, in, out)}
			case kind(p) == "thinking":
				continue
			}
			p.Signature = ""
			parts = append(parts, p)
		}
		if n := len(ms); n > 0 && ms[n-1].Role == t.Role {
			ms[n-1].Parts = append(ms[n-1].Parts, parts...)
		} else if len(parts) > 0 {
			ms = append(ms, neutral.Turn{Role: t.Role, Parts: parts})
		}
	}
	for i := range ms {
		ms[i].Parts = ordered(ms[i].Parts, can(in, hasOrder) && can(out, hasOrder))
	}
	return ms
}

// ordered joins text, puts calls behind it and results in the order of the calls;
// images too come behind unless the place of each is kept.
func ordered(parts []neutral.Part, places bool) []neutral.Part {
	rank := func(p neutral.Part) int {
		switch k := kind(p); {
		case k == "thinking":
			return 0
		case p.Call != nil:
			return 3
		case k == "image" && !places, k == "file" && !places:
			return 2
		}
		return 1
	}
	out := slices.Clone(parts)
	slices.SortStableFunc(out, func(a, b neutral.Part) int {
		if a.Result != nil && b.Result != nil {
			return strings.Compare(a.Result.ID, b.Result.ID)
		}
		return rank(a) - rank(b)
	})
	var joined []neutral.Part
	for _, p := range out {
		if n := len(joined); kind(p) == "text" && n > 0 && kind(joined[n-1]) == "text" {
			joined[n-1].Text += p.Text
			continue
		}
		joined = append(joined, p)
	}
	for i := range joined {
		if !places { // and who joins texts may put lines between
			joined[i].Text = strings.Join(strings.Fields(joined[i].Text), "")
		}
	}
	return joined
}

// callIDs numbers calls, and finds the call of a result: by its id, else by the
// name of the tool, else by its turn.
type callIDs struct {
	names map[string]string // id → number
	open  []openCall
	n     int
}

type openCall struct{ number, name string }

func (c *callIDs) call(id, name string) string {
	number := fmt.Sprintf("call %03d", c.n)
	c.n++
	if id != "" {
		c.names[id] = number
	}
	c.open = append(c.open, openCall{number, name})
	return number
}

func (c *callIDs) result(r *neutral.Result, in, out string) *neutral.Result {
	n := *r
	n.ID = "of no call " + r.ID
	number := c.names[r.ID]
	for i, o := range c.open {
		if o.number == number || number == "" && (o.name == r.Name || r.Name == "") {
			n.ID = o.number
			c.open = slices.Delete(c.open, i, i+1)
			break
		}
	}
	n.Name = ""
	if out == "gemini" && n.Text == "{}" { // what is no text is an empty object there
		n.Text = ""
	}
	if !can(in, hasFailed) {
		n.Failed = false
	}
	return &n
}

// sameAnswer compares what the model answered with what the client was given.
func sameAnswer(want neutral.Answer, got neutral.Answer, in, out string) (d diffs) {
	if got.Error != nil {
		d.add("answer", "an answer", fmt.Sprintf("an error %+v", *got.Error))
		return d
	}
	sameParts(&d, "parts", answered(want.Parts, in, out), answered(got.Parts, in, out))
	compare(&d, "finish", want.Finish, got.Finish)
	// Only one format says which sequence it was; hoosh knows it where it looks for
	// them itself.
	if got.StopSequence != "" || in == "anthropic" && (out == "anthropic" || !can(out, hasStop)) {
		compare(&d, "stop sequence", want.StopSequence, got.StopSequence)
	}
	var ids []string
	for _, p := range got.Parts {
		if p.Call != nil && p.Call.ID != "" {
			if slices.Contains(ids, p.Call.ID) {
				d.add("ids of calls", "distinct ones", p.Call.ID+" twice")
			}
			ids = append(ids, p.Call.ID)
		}
	}
	compare(&d, "number of choices", len(want.More), len(got.More))
	for i := range min(len(want.More), len(got.More)) {
		sameParts(&d, fmt.Sprintf("choice[%d]", i+1), answered(want.More[i].Parts, in, out), answered(got.More[i].Parts, in, out))
		compare(&d, fmt.Sprintf("choice[%d].finish", i+1), want.More[i].Finish, got.More[i].Finish)
	}
	return d
}

// answered brings an answer to one form. Ids are checked elsewhere: formats
// without them leave them to whoever needs some.
func answered(parts []neutral.Part, in, out string) []neutral.Part {
	var ps []neutral.Part
	for _, p := range parts {
		if p.Call != nil {
			p.Call = &neutral.Call{Name: p.Call.Name, Args: p.Call.Args}
		}
		if kind(p) == "thinking" && p.Thinking == "" {
			continue // a signature by itself
		}
		p.Signature = ""
		ps = append(ps, p)
	}
	ps = ordered(ps, true)
	// OpenAI's chats tell nothing of the thinking, nor can their clients ask for it.
	if out == "openai" || out == "responses" && in == "openai" {
		ps = slices.DeleteFunc(ps, func(p neutral.Part) bool { return kind(p) == "thinking" })
	}
	return ps
}
