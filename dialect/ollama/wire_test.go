// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
)

// What was sent to a real Ollama is read, and goes out again as it was.
func TestRecordedRequests(t *testing.T) {
	files, err := os.ReadDir("../../testdata/wire/ollama")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		name := f.Name()
		op := hoosh.OpChat
		switch {
		case !strings.HasSuffix(name, ".request.json"),
			strings.HasPrefix(name, "show"), strings.HasPrefix(name, "generate"), strings.Contains(name, "_show_"), strings.Contains(name, "openai"):
			continue
		case strings.Contains(name, "embed"):
			op = hoosh.OpEmbed
		}
		n++
		body := wire(t, name)
		c, err := hoosh.ParseCall(ollamaDialect, op, body)
		switch name {
		case "error_invalid_json.request.json", "error_wrong_type.request.json", "error_format.request.json":
			if !errors.Is(err, hoosh.ErrInvalidRequest) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		q, err := c.Request()
		if name == "error_option.request.json" {
			if e := hoosh.AsError(err); e == nil || e.Param != "options.temperature" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, dropped, err := ollamaDialect.EncodeRequest(c, q, &hoosh.Profile{Dialect: ollamaDialect})
		if err != nil || dropped != nil {
			t.Errorf("%s: dropped %v, %v", name, dropped, err)
		}
		want := strings.TrimSpace(string(body))
		// A list of one says the same, and the default of the stream is spelt out.
		want = strings.Replace(want, `"input":"hello"`, `"input":["hello"]`, 1)
		if op == hoosh.OpChat && !strings.Contains(want, `"stream"`) {
			want = want[:len(want)-1] + `,"stream":true}`
		}
		want = strings.Replace(want, `{"messages"`, `{"model":"","messages"`, 1)
		sameJSON(t, string(out), want)
		body2, dropped, err := c.BodyFor(&hoosh.Profile{Dialect: ollamaDialect})
		if err != nil || dropped != nil || string(body2.Bytes()) != string(body) {
			t.Errorf("%s in passage: %s, %v, %v", name, body2.Bytes(), dropped, err)
		}
	}
	if n < 15 {
		t.Errorf("only %d recorded requests", n)
	}
}

func TestRecordedAnswers(t *testing.T) {
	for _, x := range []struct {
		file  string
		op    hoosh.Operation
		text  string
		usage hoosh.Usage
		fin   hoosh.Finish
	}{
		{"chat.json", hoosh.OpChat, "The capital of France is Paris.", hoosh.Usage{Input: 16, Output: 8, Source: hoosh.UsageReported}, hoosh.FinishStop},
		{"chat.schema.json", hoosh.OpChat, "{\n  \"city\" : \"Paris\"\n}", hoosh.Usage{Input: 15, Output: 13, Source: hoosh.UsageReported}, hoosh.FinishStop},
		{"chat.logprobs.json", hoosh.OpChat, "The capital", hoosh.Usage{Input: 16, Output: 2, Source: hoosh.UsageReported}, hoosh.FinishLength},
		{"chat.load.json", hoosh.OpChat, "", hoosh.Usage{}, hoosh.FinishStop},
		{"embed.json", hoosh.OpEmbed, "", hoosh.Usage{Input: 1, Source: hoosh.UsageReported}, hoosh.FinishNone},
		{"embed.dimensions.json", hoosh.OpEmbed, "", hoosh.Usage{Input: 2, Source: hoosh.UsageReported}, hoosh.FinishNone},
	} {
		body := wire(t, x.file)
		u, fin, err := ollamaDialect.ScanResponse(x.op, body)
		if err != nil || u != x.usage || fin != x.fin {
			t.Errorf("%s: %v, %v, %v", x.file, u, fin, err)
		}
		r, err := ollamaDialect.DecodeResponse(x.op, body)
		if err != nil {
			t.Errorf("%s: %v", x.file, err)
			continue
		}
		if r.Text() != x.text || r.Usage != x.usage || r.Finish() != x.fin || r.Model != "smollm2:135m" {
			t.Errorf("%s: %q, %v, %v, %v", x.file, r.Text(), r.Usage, r.Finish(), r.Model)
		}
	}
	r, _ := ollamaDialect.DecodeResponse(hoosh.OpChat, wire(t, "chat.json"))
	if want := time.Date(2026, 11, 24, 6, 12, 20, 58581625, time.UTC); !r.Created.Equal(want) {
		t.Errorf("created %v, want %v", r.Created, want)
	}
	if string(r.Extra.Get("total_duration")) != "4765957927" {
		t.Errorf("extra %v", r.Extra.Keys())
	}
	r, _ = ollamaDialect.DecodeResponse(hoosh.OpEmbed, wire(t, "embed.dimensions.json"))
	if len(r.Embeddings) != 2 || len(r.Embeddings[1]) != 4 || r.Embeddings[0][3] != 0.7629211 {
		t.Errorf("embeddings %v", r.Embeddings)
	}
	r, _ = ollamaDialect.DecodeResponse(hoosh.OpEmbed, wire(t, "embed.json"))
	if len(r.Embeddings) != 1 || len(r.Embeddings[0]) != 576 {
		t.Errorf("%d embeddings", len(r.Embeddings))
	}
}

// A whole answer survives being written again.
func TestAnswersWrittenAgain(t *testing.T) {
	chat := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"smollm2:135m","stream":false}`)
	embed := parse(t, ollamaDialect, hoosh.OpEmbed, `{"model":"smollm2:135m"}`)
	for file, c := range map[string]*hoosh.Call{"chat.json": chat, "chat.logprobs.json": chat, "chat.schema.json": chat, "embed.dimensions.json": embed} {
		body := wire(t, file)
		r, err := ollamaDialect.DecodeResponse(c.Op, body)
		if err != nil {
			t.Fatal(err)
		}
		out, err := ollamaDialect.EncodeResponse(c, r)
		if err != nil {
			t.Fatal(err)
		}
		// Durations are the other server's own.
		want := string(body)
		for _, key := range []string{"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"} {
			want = without(want, key)
		}
		sameJSON(t, string(out), want)
	}
}

// without takes a number out of a body.
func without(body, key string) string {
	i := strings.Index(body, `,"`+key+`":`)
	if i < 0 {
		return body
	}
	j := i + 1 + strings.IndexAny(body[i+1:], ",}")
	return body[:i] + body[j:]
}

func TestRecordedStreams(t *testing.T) {
	for file, want := range map[string]struct {
		text string
		fin  hoosh.Finish
		out  int64
	}{
		"chat.stream.ndjson":        {"The capital of France is Paris.", hoosh.FinishStop, 8},
		"chat.length.stream.ndjson": {"The capital of", hoosh.FinishLength, 3},
	} {
		c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"smollm2:135m"}`)
		body := string(wire(t, file))
		reply, err := send(t, ollamaDialect, c, &answer{contentType: "application/x-ndjson", body: body})
		if err != nil {
			t.Fatal(err)
		}
		raw, frames, err := drain(reply.Stream)
		if err != nil || raw != body {
			t.Errorf("%s: %v, %q", file, err, raw)
		}
		last := frames[len(frames)-1]
		if last.Kind != hoosh.FrameEnd || last.Finish != want.fin || last.Usage != (hoosh.Usage{Input: 16, Output: want.out, Source: hoosh.UsageReported}) {
			t.Errorf("%s: last frame %+v", file, last)
		}
		text := ""
		for i := range frames {
			if i < len(frames)-1 && (frames[i].Kind != hoosh.FrameContent || frames[i].Text == 0) {
				t.Errorf("%s: frame %d is %+v", file, i, frames[i])
			}
			events, err := ollamaDialect.DecodeFrame(nil, &frames[i])
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				text += e.Text()
			}
		}
		if text != want.text {
			t.Errorf("%s: %q", file, text)
		}
	}
}

// A stream that only loads the model comes as plain JSON, and is whole.
func TestLoadAsStream(t *testing.T) {
	c := parse(t, ollamaDialect, hoosh.OpChat, string(wire(t, "chat.load.request.json")))
	body := string(wire(t, "chat.load.json"))
	reply, err := send(t, ollamaDialect, c, &answer{contentType: "application/json; charset=utf-8", body: body})
	if err != nil {
		t.Fatal(err)
	}
	raw, frames, err := drain(reply.Stream)
	if err != nil || strings.TrimSpace(raw) != strings.TrimSpace(body) || len(frames) != 1 {
		t.Errorf("%q, %v", raw, err)
	}
}

func TestRecordedErrors(t *testing.T) {
	for _, x := range []struct {
		file   string
		status int
		kind   error
		client int // the status that a client is given
	}{
		{"error_not_found.json", 404, hoosh.ErrModelNotFound, 404},
		{"error_embed_not_found.json", 404, hoosh.ErrModelNotFound, 404},
		{"error_tools.json", 400, hoosh.ErrUnsupported, 400},
		{"error_think.json", 400, hoosh.ErrUnsupported, 400},
		{"error_invalid_json.json", 400, hoosh.ErrInvalidRequest, 400},
		{"error_wrong_type.json", 400, hoosh.ErrInvalidRequest, 400},
		{"error_no_model.json", 400, hoosh.ErrInvalidRequest, 400},
		{"error_image.json", 400, hoosh.ErrInvalidRequest, 400},
		{"error_context.json", 400, hoosh.ErrContextLength, 400},
		// These are the client's, whatever the status says.
		{"error_option.json", 500, hoosh.ErrInvalidRequest, 400},
		{"error_format.json", 500, hoosh.ErrInvalidRequest, 400},
	} {
		c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"smollm2:135m"}`)
		body := wire(t, x.file)
		_, err := send(t, ollamaDialect, c, &answer{status: x.status, contentType: "application/json", body: string(body)})
		e := hoosh.AsError(err)
		if e == nil || !errors.Is(err, x.kind) || e.HTTPStatus() != x.client || !e.Upstream || e.Retryable() {
			t.Errorf("%s: %+v", x.file, e)
			continue
		}
		if said := string(ollamaDialect.EncodeError(e)); x.status == x.client && e.Kind == hoosh.ErrInvalidRequest && said != string(body) {
			t.Errorf("%s: the client is told %s", x.file, said)
		}
		var own struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &own); e.Message != own.Error {
			t.Errorf("%s: message %q", x.file, e.Message)
		}
		if said := string(hoosh.OpenAI.EncodeError(e)); !strings.HasPrefix(said, `{"error":{"message":`) {
			t.Errorf("%s: an OpenAI client is told %s", x.file, said)
		}
	}
}

func TestOtherErrors(t *testing.T) {
	for _, x := range []struct {
		status int
		body   string
		kind   error
	}{
		{503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, hoosh.ErrOverloaded},
		{404, "404 page not found", hoosh.ErrUnsupported}, // an older server without the path
		{405, "405 method not allowed", hoosh.ErrUnsupported},
		{403, "", hoosh.ErrUpstreamAuth},
		{401, `{"error":"unauthorized","signin_url":"https://ollama.com/connect"}`, hoosh.ErrUpstreamAuth},
		{500, `{"error":"model requires more system memory (5.6 GiB) than is available (3.0 GiB)"}`, hoosh.ErrUnsupported},
		{500, `{"error":"llama runner process has terminated: exit status 2"}`, hoosh.ErrUpstream},
		{502, `<html>`, hoosh.ErrUpstream},
		{404, `{"error":{"message":"model 'nope' not found","type":"api_error","param":null,"code":null}}`, hoosh.ErrModelNotFound},
	} {
		e := ollamaDialect.DecodeError(x.status, nil, []byte(x.body))
		if e.Kind != x.kind || e.Status != x.status || e.Message == "" {
			t.Errorf("%d %s: %v, %q", x.status, x.body, e.Kind, e.Message)
		}
	}
}
