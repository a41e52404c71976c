// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/hooshtest"
)

type chunk struct {
	ID      string
	Object  string
	Model   string
	Created int64
	Choices []struct {
		Index   int
		Text    *string
		Message map[string]json.RawMessage
		Delta   map[string]json.RawMessage
		Finish  *string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
		Details    struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	}
}

func decode[T any](t *testing.T, s string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v in %q", err, s)
	}
	return v
}

func TestStreamIsLikeOpenAIs(t *testing.T) {
	b := hooshtest.New(t)
	data := chat(t, b, askUsage).data()
	if len(data) != eventsOfDefault+1 || data[len(data)-1] != "[DONE]" {
		t.Fatalf("events %q", data)
	}
	text := ""
	for i, d := range data[:len(data)-1] {
		c := decode[chunk](t, d)
		if c.ID == "" || c.ID != decode[chunk](t, data[0]).ID || c.Object != "chat.completion.chunk" || c.Model != "m" || c.Created == 0 {
			t.Errorf("event %d: %s", i, d)
		}
		switch {
		case i == len(data)-2: // usage
			if len(c.Choices) != 0 || !strings.Contains(d, `"choices":[]`) || c.Usage == nil || c.Usage.Prompt != 2 || c.Usage.Completion != 4 || c.Usage.Total != 6 {
				t.Errorf("usage %s", d)
			}
		case !strings.Contains(d, `"usage":null`) || len(c.Choices) != 1:
			t.Errorf("event %d: %s", i, d)
		case i == 0:
			if string(c.Choices[0].Delta["role"]) != `"assistant"` || string(c.Choices[0].Delta["content"]) != `""` {
				t.Errorf("first %s", d)
			}
		case i == len(data)-3: // finish
			if len(c.Choices[0].Delta) != 0 || *c.Choices[0].Finish != "stop" {
				t.Errorf("finish %s", d)
			}
		default:
			text += decode[string](t, string(c.Choices[0].Delta["content"]))
			if c.Choices[0].Finish != nil {
				t.Errorf("event %d: %s", i, d)
			}
		}
	}
	if text != "You said: Hi there" {
		t.Errorf("text %q", text)
	}
	lacks(`"usage"`, `"choices":[]`)(t, chat(t, b, askStream))
}

func TestAnswersAreDeterministic(t *testing.T) {
	one, other := hooshtest.New(t), hooshtest.New(t)
	for _, body := range []string{askWhole, askStream} {
		if a, b := chat(t, one, body).body, chat(t, other, body).body; a != b || a == "" {
			t.Errorf("%q\n%q", a, b)
		}
	}
	if a, b := chat(t, one, askWhole).body, chat(t, one, strings.Replace(askWhole, "Hi", "Ho", 1)).body; a == b {
		t.Error("different requests get the same answer")
	}
}

func TestWholeAnswer(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Answer{Text: "\u2028\"\\\n\x01<é>", Usage: &hooshtest.Usage{Prompt: 9, Completion: 3, Cached: 4}, FinishReason: "length", Reasoning: "hm"})
	o := chat(t, b, askWhole)
	c := decode[chunk](t, o.body)
	m := c.Choices[0].Message
	if decode[string](t, string(m["content"])) != "\u2028\"\\\n\x01<é>" || !strings.Contains(o.body, "\u2028") || string(m["reasoning_content"]) != `"hm"` || string(m["refusal"]) != "null" {
		t.Errorf("message %v", m)
	}
	if c.Object != "chat.completion" || *c.Choices[0].Finish != "length" || c.Usage.Prompt != 9 || c.Usage.Completion != 3 || c.Usage.Total != 12 || c.Usage.Details.Cached != 4 {
		t.Errorf("answer %s", o.body)
	}
	lacks("tool_calls")(t, o)
}

func TestToolCalls(t *testing.T) {
	b := hooshtest.New(t)
	args := `{"city":"Zürich","n":12}`
	b.Answer(hooshtest.Answer{ToolCalls: []hooshtest.ToolCall{{ID: "call_1", Name: "weather", Arguments: args}, {Name: "now"}}})
	c := decode[chunk](t, chat(t, b, askWhole).body)
	type call struct {
		Index    int
		ID, Type string
		Function struct{ Name, Arguments string }
	}
	calls := decode[[]call](t, string(c.Choices[0].Message["tool_calls"]))
	if len(calls) != 2 || calls[0].ID != "call_1" || calls[0].Function.Arguments != args || calls[1].ID == "" || calls[1].Type != "function" ||
		string(c.Choices[0].Message["content"]) != "null" || *c.Choices[0].Finish != "tool_calls" {
		t.Errorf("answer %+v, %+v", c, calls)
	}
	got := map[int]string{}
	finish := ""
	for _, d := range chat(t, b, askStream).data() {
		if d == "[DONE]" {
			break
		}
		choice := decode[chunk](t, d).Choices[0]
		if choice.Finish != nil {
			finish = *choice.Finish
		}
		if choice.Delta["tool_calls"] == nil {
			continue
		}
		for _, p := range decode[[]call](t, string(choice.Delta["tool_calls"])) {
			if _, begun := got[p.Index]; begun == (p.ID != "") || begun == (p.Function.Name != "") {
				t.Errorf("piece %s", d)
			}
			got[p.Index] += p.Function.Arguments
		}
	}
	if got[0] != args || got[1] != "" || len(got) != 2 || finish != "tool_calls" {
		t.Errorf("pieces %v, finish %q", got, finish)
	}
}

func TestShortAnswers(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Pieces("one ", "two"), hooshtest.Tool("now", "{}"))
	has(`"content":"one two"`)(t, chat(t, b, askWhole))
	has(`"function":{"name":"now","arguments":"{}"}`)(t, chat(t, b, askWhole))
}

func TestPrompt(t *testing.T) {
	b := hooshtest.New(t)
	for body, want := range map[string]string{
		`{"messages":[{"content":"a"},{"content":"b"}]}`:                                            "b",
		`{"messages":[{"content":[{"type":"text","text":"a"},{"type":"image_url"},{"text":"b"}]}]}`: "ab",
		`{"messages":[{"content":null}]}`:                                                           "",
		`{"messages":[{"content":7}]}`:                                                              "",
		`{"prompt":["a","b"]}`:                                                                      "a",
		`{"input":"a"}`:                                                                             "a",
		`{"input":[1,2]}`:                                                                           "",
		`{}`:                                                                                        "",
	} {
		ask(t.Context(), b.Client(), b, "/other", body)
		var v map[string]any
		if q := b.Last(); q.Prompt() != want || q.JSON(&v) != nil || len(v) > 1 {
			t.Errorf("%s: %q", body, q.Prompt())
		}
	}
}

func TestChoicesAndPieces(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Answer{Pieces: []string{"a", "", "b c"}, Reasoning: "think hard"})
	three := strings.Replace(askStream, "{", `{"n":3,`, 1)
	texts, thoughts := map[int]string{}, map[int]string{}
	data := chat(t, b, three).data()
	for _, d := range data[:len(data)-1] {
		for _, c := range decode[chunk](t, d).Choices {
			if raw := c.Delta["content"]; raw != nil {
				texts[c.Index] += decode[string](t, string(raw)) + "|"
			}
			if raw := c.Delta["reasoning_content"]; raw != nil {
				thoughts[c.Index] += decode[string](t, string(raw))
			}
		}
	}
	for i := range 3 {
		if texts[i] != "|a||b c|" || thoughts[i] != "think hard" {
			t.Errorf("choice %d: %q, %q", i, texts[i], thoughts[i])
		}
	}
	if c := decode[chunk](t, chat(t, b, strings.Replace(askWhole, "{", `{"n":2,`, 1)).body); len(c.Choices) != 2 || c.Choices[1].Index != 1 {
		t.Errorf("choices %+v", c)
	}
}

func TestCompletions(t *testing.T) {
	b := hooshtest.New(t)
	o := ask(t.Context(), b.Client(), b, "/completions", `{"model":"m","prompt":"Once upon"}`)
	c := decode[chunk](t, o.body)
	if c.Object != "text_completion" || *c.Choices[0].Text != "You said: Once upon" || *c.Choices[0].Finish != "stop" || c.Usage.Prompt != 2 {
		t.Errorf("answer %s", o.body)
	}
	o = ask(t.Context(), b.Client(), b, "/completions", `{"model":"m","prompt":["Once upon"],"stream":true}`)
	text, data := "", o.data()
	for _, d := range data[:len(data)-1] {
		c := decode[chunk](t, d)
		if c.Object != "text_completion" || c.Choices[0].Text == nil {
			t.Fatalf("event %s", d)
		}
		text += *c.Choices[0].Text
	}
	if text != "You said: Once upon" || data[len(data)-1] != "[DONE]" {
		t.Errorf("text %q", text)
	}
}

func TestEmbeddings(t *testing.T) {
	b := hooshtest.New(t)
	embed := func(body string) (list []json.RawMessage, used int) {
		t.Helper()
		o := ask(t.Context(), b.Client(), b, "/embeddings", body)
		got := decode[struct {
			Object, Model string
			Data          []struct {
				Index     int
				Embedding json.RawMessage
			}
			Usage struct {
				Prompt int `json:"prompt_tokens"`
			}
		}](t, o.body)
		for i, d := range got.Data {
			if d.Index != i {
				t.Errorf("index %d at %d", d.Index, i)
			}
			list = append(list, d.Embedding)
		}
		return list, got.Usage.Prompt
	}
	floats, used := embed(`{"model":"m","input":["one two","three"],"dimensions":40}`)
	if len(floats) != 2 || used != 3 {
		t.Fatalf("%d vectors, %d tokens", len(floats), used)
	}
	v := decode[[]float32](t, string(floats[0]))
	want := hooshtest.Embedding("one two", 40)
	var norm float64
	for i := range v {
		if v[i] != want[i] {
			t.Fatalf("element %d: %v, want %v", i, v[i], want[i])
		}
		norm += float64(v[i]) * float64(v[i])
	}
	if len(v) != 40 || math.Abs(norm-1) > 1e-5 || string(floats[0]) == string(floats[1]) {
		t.Errorf("%d elements, length² %v", len(v), norm)
	}
	coded, _ := embed(`{"model":"m","input":"one two","encoding_format":"base64"}`)
	raw, err := base64.StdEncoding.DecodeString(decode[string](t, string(coded[0])))
	if err != nil || len(raw) != 4*8 || math.Float32frombits(binary.LittleEndian.Uint32(raw)) != hooshtest.Embedding("one two", 0)[0] {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	for body, n := range map[string]int{`[1,2,3]`: 1, `[[1,2],[3]]`: 2, `"x"`: 1} {
		if list, _ := embed(`{"model":"m","input":` + body + `}`); len(list) != n {
			t.Errorf("input %s: %d vectors", body, len(list))
		}
	}
}

func TestRefusals(t *testing.T) {
	loose, strict := hooshtest.New(t), hooshtest.New(t, hooshtest.Strict())
	strict.Models("m")
	for _, b := range []*hooshtest.Backend{loose, strict} {
		b.Script(func(q *hooshtest.Request) hooshtest.Answer { return hooshtest.Text("asked") })
	}
	const ok = `,"messages":[{"role":"user","content":"x"}]}`
	for _, c := range []struct {
		path, body    string
		loose, strict int
		code          string
	}{
		{chatPath, `{"model":"m"` + ok, 200, 200, ""},
		{chatPath, `{"model":"other"` + ok, 200, 404, "model_not_found"},
		{chatPath, `{"model":"m","temperature":0,"wrong":1` + ok, 200, 400, "unknown_parameter"},
		{chatPath, `{"model":"m","model":"m"` + ok, 200, 400, "duplicate_parameter"},
		{chatPath, `{"model":"m","stream_options":{}` + ok, 200, 400, "null"},
		{chatPath, `{"model":"m","messages":[]}`, 400, 400, "null"},
		{chatPath, `{"model":""` + ok, 400, 400, "null"},
		{chatPath, `{"model":"m"`, 400, 400, "null"},
		{chatPath, `{"model":"m","stream":"yes"` + ok, 400, 400, "null"},
		{chatPath, `[]`, 400, 400, "null"},
		{"/completions", `{"model":"m"}`, 400, 400, "null"},
		{"/completions", `{"model":"m","prompt":"x","messages":1}`, 400, 400, ""},
		{"/embeddings", `{"model":"m","input":[]}`, 400, 400, "null"},
		{"/embeddings", `{"model":"m","input":"x","user":"u"}`, 200, 200, ""},
		{"/embeddings", `{"model":"m","input":"x","seed":1}`, 200, 400, "unknown_parameter"},
	} {
		for b, want := range map[*hooshtest.Backend]int{loose: c.loose, strict: c.strict} {
			o := ask(t.Context(), b.Client(), b, c.path, c.body)
			if o.status != want || o.err != nil || want == 200 && strings.Contains(o.body, "error") {
				t.Errorf("%s %s: %d, want %d: %s", c.path, c.body, o.status, want, o.body)
			}
			if want != 200 && (!strings.Contains(o.body, c.code) || !strings.HasPrefix(o.body, `{"error":{"message":`)) {
				t.Errorf("%s: %s", c.body, o.body)
			}
		}
	}
}

func TestStatusBodies(t *testing.T) {
	b := hooshtest.New(t)
	for status, want := range map[int]string{
		401: `"type":"invalid_request_error","param":null,"code":"invalid_api_key"`,
		429: `"code":"rate_limit_exceeded"`,
		500: `"type":"server_error"`,
		503: `"message":"Service Unavailable"`,
	} {
		b.Answer(hooshtest.Status(status, 0))
		for _, body := range []string{askWhole, askStream} {
			o := chat(t, b, body)
			if o.status != status || !strings.Contains(o.body, want) || o.header.Get("Content-Type") != "application/json" || o.header.Get("Retry-After") != "" {
				t.Errorf("%d: %q, %v", o.status, o.body, o.header)
			}
		}
	}
	b.Answer(hooshtest.Answer{Status: 400, Text: "my words"})
	if o := chat(t, b, askWhole); !strings.Contains(o.body, `"message":"my words"`) {
		t.Errorf("body %q", o.body)
	}
}
