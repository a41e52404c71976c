// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/ollama"
)

// A prompt becomes a conversation for other backends.
func TestGenerateRequests(t *testing.T) {
	for _, x := range []struct {
		name, from, to string
		dropped        []string
	}{
		{"prompt", `{"model":"x","prompt":"h\u00e9 \"you\""}`,
			`{"model":"m","stream":true,"messages":[{"role":"user","content":"hé \"you\""}]}`, nil},
		{"all that can be said", `{"model":"x","system":"be brief","prompt":"what?","images":["iVBORw0KGgo="],"format":"json","think":false,"stream":false,"options":{"num_predict":9,"stop":["END"]},"raw":false,"suffix":"","context":[],"template":null}`,
			`{"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}],"response_format":{"type":"json_object"},"reasoning_effort":"none","max_tokens":9,"stop":"END"}`, nil},
		{"its own words", `{"model":"x","prompt":"a","stream":false,"keep_alive":"1h","options":{"num_ctx":64}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}]}`, []string{"keep_alive", "options"}},
	} {
		got, dropped, err := translate(t, ollama.Generate, hoosh.OpenAI, hoosh.OpChat, x.from)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		got = strings.Replace(got, `,"stream_options":{"include_usage":true}`, "", 1)
		sameJSON(t, strings.Replace(got, `"stream":false,`, "", 1), x.to)
		slices.Sort(dropped)
		if !slices.Equal(dropped, x.dropped) {
			t.Errorf("%s: dropped %v, want %v", x.name, dropped, x.dropped)
		}
	}
}

// What only an Ollama understands is refused by its name, and goes to an Ollama
// as it is.
func TestGenerateOnlyThere(t *testing.T) {
	for body, param := range map[string]string{
		`{"model":"x","prompt":"a","raw":true}`:          "raw",
		`{"model":"x","prompt":"a","suffix":"b"}`:        "suffix",
		`{"model":"x","prompt":"a","template":"t"}`:      "template",
		`{"model":"x","prompt":"a","context":[1,2]}`:     "context",
		`{"model":"x","prompt":""}`:                      "prompt",
		`{"model":"x","keep_alive":0}`:                   "prompt",
		`{"model":"x","images":["iVBORw0KGgo="]}`:        "prompt",
		`{"model":"x","system":"s","stream":false}`:      "prompt",
		`{"model":"x","PROMPT":"a","Suffix":"b"}`:        "suffix",
		`{"model":"x","prompt":"a","context":[1],"z":1}`: "context",
	} {
		_, _, err := translate(t, ollama.Generate, hoosh.OpenAI, hoosh.OpChat, body)
		if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrUnsupported || e.Param != param {
			t.Errorf("%s: %v", body, err)
		}
		got, _, err := translate(t, ollama.Generate, ollama.Generate, hoosh.OpChat, body)
		if want := strings.Replace(body, `"x"`, `"m"`, 1); err != nil || got != want {
			t.Errorf("%s: sent %s, %v", body, got, err)
		}
	}
	for _, body := range []string{`{"prompt":1}`, `{"prompt":"a","Prompt":"b"}`, `{"prompt":"a","images":"b"}`, `[]`, `{"system":{}}`} {
		if _, err := hoosh.ParseCall(ollama.Generate, hoosh.OpChat, []byte(body)); !errors.Is(err, hoosh.ErrInvalidRequest) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := hoosh.ParseCall(ollama.Generate, hoosh.OpEmbed, []byte(`{}`)); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
}

// The other way round there is room for little.
func TestRequestsToGenerate(t *testing.T) {
	got, dropped, err := translate(t, hoosh.OpenAI, ollama.Generate, hoosh.OpChat,
		`{"model":"x","messages":[{"role":"system","content":"be"},{"role":"developer","content":"brief"},{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}],"seed":3,"logit_bias":{}}`)
	if err != nil || !slices.Equal(dropped, []string{"logit_bias"}) {
		t.Fatal(err, dropped)
	}
	sameJSON(t, got, `{"model":"m","system":"be\nbrief","prompt":"what?","images":["iVBORw0KGgo="],"stream":false,"options":{"seed":3}}`)
	for body, param := range map[string]string{
		`{"model":"x","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}`: "messages[0]",
		`{"model":"x","messages":[{"role":"user","content":"a"}],` + openAITools + `}`:                                              "tools",
		`{"model":"x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"}}]}]}`:             "messages[0].content[0]",
	} {
		_, _, err := translate(t, hoosh.OpenAI, ollama.Generate, hoosh.OpChat, body)
		if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrUnsupported || e.Param != param {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// What is said in both ways is the same.
func TestGenerateRoundTrip(t *testing.T) {
	first, err := ollama.Generate.DecodeRequest(hoosh.OpChat, []byte(`{"model":"m","system":"s","prompt":"p\n","images":["iVBORw0KGgo="],"stream":false,"think":true,"format":{"type":"object"},"options":{"temperature":0.5,"min_p":1},"keep_alive":"5m"}`))
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, ollama.Generate, hoosh.OpChat, `{"model":"m","stream":false}`)
	body, dropped, err := ollama.Generate.EncodeRequest(c, first, &hoosh.Profile{Dialect: ollama.Generate})
	if err != nil || dropped != nil {
		t.Fatal(err, dropped)
	}
	second, err := ollama.Generate.DecodeRequest(hoosh.OpChat, body)
	if err != nil || !first.Equal(second) {
		t.Errorf("%v: %s", err, body)
	}
}

// Answers of other backends, whole and streamed.
func TestGenerateAnswers(t *testing.T) {
	c := parse(t, ollama.Generate, hoosh.OpChat, `{"model":"near","prompt":"a","stream":false}`)
	reply, err := send(t, hoosh.OpenAI, c, &answer{contentType: "application/json",
		body: `{"model":"far","created":0,"choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"hm","content":"yes"},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`})
	if err == nil {
		reply, err = reply.For(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, still(string(reply.Body)), `{"model":"far","created_at":"T","response":"yes","thinking":"hm","done":true,"done_reason":"length","prompt_eval_count":3,"eval_count":2}`)

	c = parse(t, ollama.Generate, hoosh.OpChat, `{"model":"near","prompt":"a"}`)
	reply, err = send(t, hoosh.OpenAI, c, &answer{contentType: "text/event-stream", body: chunks("stop", `"reasoning_content":"hm"`, `"content":"y"`, `"content":"es"`)})
	if err == nil {
		reply, err = reply.For(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := drain(reply.Stream)
	lines := strings.Split(strings.TrimSpace(still(raw)), "\n")
	want := []string{`"response":"","thinking":"hm","done":false}`, `"response":"y","done":false}`, `"response":"es","done":false}`, `"response":"","done":true,"done_reason":"stop"`}
	if err != nil || len(lines) != len(want) {
		t.Fatalf("%v\n%s", err, raw)
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) {
			t.Errorf("line %d: %s", i, line)
		}
	}

	// An Ollama's own go through as they are, and mean the same.
	own := `{"model":"m","created_at":"2026-11-24T06:03:19Z","response":"y","done":false}` + "\n" +
		`{"model":"m","created_at":"2026-11-24T06:03:20Z","response":"es","thinking":"hm","done":true,"done_reason":"stop","context":[1,2],"prompt_eval_count":3,"eval_count":2}` + "\n"
	reply, err = send(t, ollama.Generate, c, &answer{contentType: ndjson, body: own})
	if err != nil {
		t.Fatal(err)
	}
	raw, frames, err := drain(reply.Stream)
	if err != nil || raw != own || frames[1].Usage.Output != 2 || frames[1].Finish != hoosh.FinishStop {
		t.Errorf("%v %+v\n%s", err, frames, raw)
	}
	events, err := ollama.Generate.DecodeFrame(nil, &frames[1])
	if err != nil || len(events) != 4 || events[0].Kind != hoosh.EventThinking || events[1].Text() != "es" {
		t.Errorf("%v %v", events, err)
	}
	resp, err := ollama.Generate.DecodeResponse(hoosh.OpChat, []byte(`{"model":"m","response":"yes","thinking":"hm","done":true,"done_reason":"stop","context":[1]}`))
	if err != nil || resp.Text() != "yes" || len(resp.Choices[0].Message.Parts) != 2 || resp.Extra.Get("context") == nil {
		t.Errorf("%+v %v", resp, err)
	}
	if _, _, err := ollama.Generate.ScanResponse(hoosh.OpChat, []byte(`{"model":"m","message":{"content":"a"},"done":true}`)); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error("a chat's answer was taken:", err)
	}
}

// An end before the end, as Ollama would have written it.
func TestGenerateStop(t *testing.T) {
	s := ollama.Generate.NewScanner(hoosh.OpChat, 1)
	if err := s.Scan(&hoosh.Frame{Data: []byte(`{"model":"m","response":"y","done":false}`)}); err != nil || s.Complete() {
		t.Fatal(err)
	}
	got := still(string(s.End(nil, hoosh.FinishLength, hoosh.Usage{Output: 1}, false)))
	if want := `{"model":"m","created_at":"T","response":"","done":true,"done_reason":"length","eval_count":1}` + "\n"; got != want {
		t.Errorf("got %s", got)
	}
}

// The older form of an embedding: a prompt in, one vector out.
func TestOlderEmbeddings(t *testing.T) {
	body := `{"model":"x","prompt":"a\u00e9","options":{"num_ctx":64}}`
	got, _, err := translate(t, ollamaDialect, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"x","prompt":"a\u00e9"}`)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, got, `{"model":"m","input":"aé"}`)
	c := parse(t, ollamaDialect, hoosh.OpEmbed, body)
	if c.Stream || c.Envelope().Text != len(`a\u00e9`) {
		t.Errorf("stream %t, %d bytes", c.Stream, c.Envelope().Text)
	}
	reply, err := send(t, hoosh.OpenAI, c, &answer{contentType: "application/json", body: `{"data":[{"index":0,"embedding":[0.5,-1]}],"usage":{"prompt_tokens":2}}`})
	if err == nil {
		reply, err = reply.For(c)
	}
	if err != nil || string(reply.Body) != `{"embedding":[0.5,-1]}` {
		t.Errorf("%v: %s", err, reply.Body)
	}
	reply, err = send(t, ollamaDialect, c, &answer{contentType: "application/json", body: `{"embedding":[0.5,-1]}`})
	if err != nil || string(reply.Body) != `{"embedding":[0.5,-1]}` {
		t.Fatal(err)
	}
	resp, err := reply.Response()
	if err != nil || len(resp.Embeddings) != 1 || resp.Embeddings[0][1] != -1 {
		t.Errorf("%v %v", resp, err)
	}
	if _, err := hoosh.ParseCall(ollamaDialect, hoosh.OpEmbed, []byte(`{"prompt":"a","input":"b"}`)); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Error("both names were taken:", err)
	}
}

func FuzzGenerate(f *testing.F) {
	for _, body := range []string{
		`{"model":"x","prompt":"a","system":"b","images":["iVBORw0KGgo="],"think":"high","format":"json","options":{"stop":["a"]},"keep_alive":1}`,
		`{"prompt":"\ud83d\ude00","raw":true}`, `{"response":"a","done":true}`, `{"response":"","thinking":"b","done":false}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if q, err := ollama.Generate.DecodeRequest(hoosh.OpChat, body); err == nil {
			c, err := hoosh.ParseCall(ollama.Generate, hoosh.OpChat, body)
			if err != nil {
				return // a key twice
			}
			out, _, err := ollama.Generate.EncodeRequest(c, q, &hoosh.Profile{Dialect: ollama.Generate})
			if err != nil {
				return
			}
			again, err := ollama.Generate.DecodeRequest(hoosh.OpChat, out)
			if err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			// The order of members is the encoder's own, so it is compared with itself.
			twice, _, err := ollama.Generate.EncodeRequest(c, again, &hoosh.Profile{Dialect: ollama.Generate})
			if err != nil || string(twice) != string(out) {
				t.Errorf("%s\nbecame %s\nand then %s, %v", body, out, twice, err)
			}
		}
		ollama.Generate.DecodeResponse(hoosh.OpChat, body)
		ollama.Generate.DecodeFrame(nil, &hoosh.Frame{Data: body})
	})
}
