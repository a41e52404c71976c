// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

func TestOpenAIResponseGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/openai/*.response.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, path := range names {
		name := strings.TrimSuffix(filepath.Base(path), ".response.json")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r, err := decodeOpenAIResponse(OpChat, body)
			if err != nil {
				t.Fatal(err)
			}
			if calls := len(r.ToolCalls()) > 0; calls != (r.Finish() == FinishToolCalls) {
				t.Errorf("stopped for a call %v, finish %v", calls, r.Finish())
			}
			out, err := r.MarshalJSON()
			if err != nil || !json.Valid(out) {
				t.Fatal(err)
			}
			golden(t, name+".response.golden", out)
		})
	}
}

// TestOpenAIResponseRecorded reads what llama.cpp's server said.
func TestOpenAIResponseRecorded(t *testing.T) {
	tests := []struct {
		file   string
		op     Operation
		texts  []string
		finish Finish
		usage  Usage
	}{
		{"chat", OpChat, []string{"The capital of France is Paris."}, FinishStop, Usage{Input: 27, Output: 8}},
		{"chat.n2", OpChat, []string{"The capital of France", "L'Éto"}, FinishLength, Usage{Input: 1, CacheRead: 36, Output: 4}},
		{"chat.logprobs", OpChat, []string{"L'"}, FinishLength, Usage{Input: 1, CacheRead: 36, Output: 2}},
		{"completions", OpCompletion, []string{" Paris.\n\n"}, FinishLength, Usage{Input: 5, Output: 4}},
		{"embeddings", OpEmbed, nil, FinishNone, Usage{Input: 1}},
		{"embeddings.base64", OpEmbed, nil, FinishNone, Usage{Input: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			body, err := os.ReadFile("testdata/wire/llamacpp/" + tt.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			r, err := decodeOpenAIResponse(tt.op, body)
			if err != nil {
				t.Fatal(err)
			}
			tt.usage.Source = UsageReported
			var texts []string
			for _, ch := range r.Choices {
				texts = append(texts, ch.Message.Text())
			}
			if !slices.Equal(texts, tt.texts) || r.Finish() != tt.finish || r.Usage != tt.usage {
				t.Errorf("%q %v %+v", texts, r.Finish(), r.Usage)
			}
			if u, fin, err := scanOpenAIResponse(tt.op, body); u != r.Usage || fin != r.Finish() || err != nil {
				t.Errorf("the scan found %+v %v %v", u, fin, err)
			}
			if tt.op == OpEmbed && (len(r.Embeddings) == 0 || len(r.Embeddings[0]) != 576) {
				t.Errorf("%d embeddings", len(r.Embeddings))
			}
			out, err := encodeOpenAIResponse(typedCall(tt.op), r)
			if err != nil {
				t.Fatal(err)
			}
			again, err := decodeOpenAIResponse(tt.op, out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffResponses(tt.op, r, again); diff != "" {
				t.Errorf("%s changed on the way", diff)
			}
		})
	}
}

func TestOpenAIResponseOwnsItsBytes(t *testing.T) {
	body := []byte(`{"choices":[{"message":{"content":"text"}}],"x":"extra"}`)
	r, err := decodeOpenAIResponse(OpChat, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = '#'
	}
	if r.Text() != "text" || string(r.Extra.Get("x")) != `"extra"` {
		t.Errorf("%q %s", r.Text(), r.Extra)
	}
}

func TestOpenAIResponseErrors(t *testing.T) {
	tests := []struct {
		op            Operation
		body, message string
		kind          error
	}{
		{OpChat, ``, "not a JSON object", ErrMalformed},
		{OpChat, `{"choices":[`, "found the end", ErrMalformed},
		{OpChat, `{"object":"x"}`, "no choices", ErrMalformed},
		{OpChat, `{"choices":null}`, "no choices", ErrMalformed},
		{OpEmbed, `{"choices":[]}`, "has no ", ErrMalformed},
		{OpChat, `{"choices":[1]}`, "want a choice object, found a number, at choices[0]", ErrMalformed},
		{OpChat, `{"choices":[{"message":{"content":7}}]}`, "at choices[0].message.content", ErrMalformed},
		{OpChat, `{"choices":[{"message":{"role":"tool","content":"7"}}]}`, "want a message of the assistant", ErrMalformed},
		{OpEmbed, `{"data":[{"embedding":[1,"a"]}]}`, "at data[0].embedding[1]", ErrMalformed},
		{OpEmbed, `{"data":[{"embedding":[1e300]}]}`, "fits 32 bits", ErrMalformed},
		{OpEmbed, `{"data":[{"embedding":"AAAA"}]}`, "base64 of finite", ErrMalformed},
		{OpEmbed, `{"data":[{"embedding":"AADAfw=="}]}`, "base64 of finite", ErrMalformed}, // a NaN
		{OpEmbed, `{"data":[{"index":1}]}`, "want an embedding", ErrMalformed},
		{OpChat, `{"error":{"message":"too long","code":"context_length_exceeded"}}`, "too long", ErrContextLength},
	}
	for _, tt := range tests {
		_, err := decodeOpenAIResponse(tt.op, []byte(tt.body))
		var e *Error
		if !errors.As(err, &e) || e.Kind != tt.kind || !strings.Contains(e.Message, tt.message) || e.Param != "" {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
}

func TestOpenAIUsage(t *testing.T) {
	const reported = UsageReported
	tests := []struct {
		name, body string
		want       Usage
	}{
		{"null", `null`, Usage{}},
		{"no object", `7`, Usage{}},
		{"nothing said", `{}`, Usage{}},
		{"nulls", `{"prompt_tokens":null,"prompt_tokens_details":null}`, Usage{}},
		{"zeros", `{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`, Usage{Source: reported}},
		{"plain", `{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`, Usage{Input: 10, Output: 5, Source: reported}},
		{"nested", `{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":20,"audio_tokens":5},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":7,"accepted_prediction_tokens":3}}`,
			Usage{Input: 15, CacheRead: 60, CacheWrite: 20, AudioInput: 5, Output: 13, Reasoning: 30, AudioOutput: 7, Source: reported}},
		{"DeepSeek's cache", `{"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6,"prompt_tokens_details":{"cached_tokens":4}}`,
			Usage{Input: 6, CacheRead: 4, Output: 1, Source: reported}},
		{"xAI's thinking", `{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}`,
			Usage{Input: 32, Output: 9, Reasoning: 94, Source: reported}},
		{"more cached than read", `{"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":12,"audio_tokens":3}}`,
			Usage{CacheRead: 10, Output: 1, Source: reported}},
		{"more thought than made", `{"prompt_tokens":1,"completion_tokens":5,"total_tokens":6,"completion_tokens_details":{"reasoning_tokens":9}}`,
			Usage{Input: 1, Reasoning: 5, Source: reported}},
		{"negative", `{"prompt_tokens":-4,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":-9}}`, Usage{Output: 5, Source: reported}},
		{"huge", `{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}`, Usage{Input: maxFigure, Output: maxFigure, Source: reported}},
		{"of an embedding", `{"prompt_tokens":7,"total_tokens":7}`, Usage{Input: 7, Source: reported}},
		{"only the total", `{"total_tokens":7}`, Usage{Input: 7, Source: reported}},
		{"no whole numbers", `{"prompt_tokens":7.0,"completion_tokens":1.5,"total_tokens":"9"}`, Usage{Input: 7, Source: reported}},
	}
	for _, tt := range tests {
		c := jsonpeek.New([]byte(tt.body))
		got := readOpenAIUsage(&c)
		if err := c.End(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
		if got.IsZero() {
			continue
		}
		c = jsonpeek.New(appendOpenAIUsage(nil, got))
		if again := readOpenAIUsage(&c); again != got || c.End() != nil {
			t.Errorf("%s: written and read again %+v", tt.name, again)
		}
	}
	body := []byte(tests[6].body)
	if n := testing.AllocsPerRun(100, func() {
		c := jsonpeek.New(body)
		readOpenAIUsage(&c)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOpenAIFinish(t *testing.T) {
	for word, want := range map[string]Finish{
		"stop": FinishStop, "length": FinishLength, "tool_calls": FinishToolCalls, "function_call": FinishToolCalls, "content_filter": FinishContentFilter,
		"error": FinishError, "model_length": FinishLength, "eos_token": FinishStop, "": FinishNone, "tired": FinishOther,
	} {
		if got := openAIFinish([]byte(word)); got != want {
			t.Errorf("%q is %v, want %v", word, got, want)
		}
	}
	for f := FinishNone; f <= FinishOther; f++ {
		want := f
		if f == FinishNone || f == FinishOther {
			want = FinishStop
		}
		if got := openAIFinish([]byte(openAIFinishWord(f))); got != want {
			t.Errorf("%v comes back as %v", f, got)
		}
	}
}

// TestOpenAIResponseMade writes answers that did not come from OpenAI.
func TestOpenAIResponseMade(t *testing.T) {
	foreign := &Call{Op: OpChat, ID: "7", Model: "alias", load: &payload{dialect: OpenAI}}
	r := &Response{
		Choices: []Choice{{Message: Assistant("", Part{Kind: PartToolCall, Call: &ToolCall{Name: "f", Arguments: ValueArguments([]byte(`{"a":"b"}`))}}), Finish: FinishStop}},
		Usage:   Usage{Input: 1, Reasoning: 2, Source: UsageReported},
		Extra:   Extra{{"stop_details", []byte("{}")}},
	}
	synctest.Test(t, func(t *testing.T) { // where it is midnight, 1 January 2000
		out, err := encodeOpenAIResponse(foreign, r)
		if err != nil {
			t.Fatal(err)
		}
		id := regexp.MustCompile(`call_[A-Z2-7]{26}`)
		want := `{"id":"chatcmpl-7","object":"chat.completion","created":946684800,"model":"alias","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"ID","type":"function","function":{"name":"f","arguments":"{\"a\":\"b\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":2}}}`
		if got := id.ReplaceAllString(string(out), "ID"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}

		legacy := &Call{Op: OpCompletion, Model: "m", load: &payload{dialect: OpenAI}}
		out, err = encodeOpenAIResponse(legacy, &Response{Choices: []Choice{{Index: 1, Message: Assistant("a\nb"), Finish: FinishLength}}})
		want = `{"id":"cmpl-ID","object":"text_completion","created":946684800,"model":"m","choices":[{"index":1,"text":"a\nb","logprobs":null,"finish_reason":"length"}]}`
		if got := regexp.MustCompile(`cmpl-[A-Z2-7]{26}`).ReplaceAllString(string(out), "cmpl-ID"); got != want || err != nil {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	r.Choices[0].Logprobs = []byte("{")
	if _, err := encodeOpenAIResponse(foreign, r); AsError(err) == nil {
		t.Error("wrote what is not JSON")
	}
}

func TestOpenAIEmbeddings(t *testing.T) {
	// The second comes first, and one base64 has its slashes escaped.
	body := `{"object":"list","data":[{"object":"embedding","index":1,"embedding":[1,-0.1,3.4028235e38,1e-45]},{"index":0,"embedding":"\/\/9\/Pw=="}],"model":"e","usage":{"prompt_tokens":4,"total_tokens":4}}`
	r, err := decodeOpenAIResponse(OpEmbed, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float32{{0.99999994}, {1, -0.1, 3.4028235e38, 1e-45}}
	for i := range want {
		if !slices.Equal(r.Embeddings[i], want[i]) {
			t.Errorf("%v", r.Embeddings[i])
		}
	}
	for _, tt := range []struct{ request, want string }{
		{`{"input":"a","encoding_format":"base64"}`, `"embedding":"AACAP83MzL3//39/AQAAAA=="`},
		{`{"input":"a","encoding_format":"float"}`, `"embedding":[1,-0.1,3.4028235e+38,1e-45]`},
		{`{"input":"a"}`, `"embedding":[1,-0.1`},
	} {
		c, err := ParseCall(OpenAI, OpEmbed, []byte(`{"model":"e",`+tt.request[1:]))
		if err != nil {
			t.Fatal(err)
		}
		out, err := encodeOpenAIResponse(c, r)
		if err != nil || !json.Valid(out) {
			t.Fatalf("%v %s", err, out)
		}
		if !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: %s", tt.request, out)
		}
		again, err := decodeOpenAIResponse(OpEmbed, out)
		if err != nil || diffResponses(OpEmbed, r, again) != "" {
			t.Errorf("%s: changed on the way: %v %s", tt.request, err, out)
		}
	}
	inf := &Response{Embeddings: [][]float32{{1}, {float32(math.Inf(1))}}}
	if _, err := inf.MarshalJSON(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}
