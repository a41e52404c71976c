// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"sync"
)

var llama = target{name: "llama.cpp", provider: "llamacpp", model: smollm, schema: true, legacy: true, words: 600}

// busy counts the slots that work; -1 if the engine does not say.
func (e *engine) busy(t *T) int {
	a, err := e.whole(t.ctx, "GET", "/slots", nil)
	if err != nil || a.status != 200 {
		return -1
	}
	var slots []struct {
		Processing bool `json:"is_processing"`
	}
	if json.Unmarshal(a.body, &slots) != nil {
		return -1
	}
	n := 0
	for _, s := range slots {
		if s.Processing {
			n++
		}
	}
	return n
}

// llamaCases are what only llama.cpp lets us see.
func (s *suite) llamaCases(w *world, at surface) {
	run := func(name string, f func(*T)) { s.run(at.name+" llama.cpp: "+name, f) }
	run("a client that leaves frees its slot", func(t *T) {
		llama.leave(t, at, func() bool { return w.llama.busy(t) == 0 })
	})
	run("replies pass byte by byte", func(t *T) { passage(t, at, w.llama) })
	run("a prompt that is too long", func(t *T) {
		at.post(t, "/v1/chat/completions", llama.chat(strings.Repeat("sea and sand ", 600), 4, nil)).refused(t, 400, "context_length_exceeded")
	})
	run("more calls at once than slots", func(t *T) { crowd(t, at) })
	run("embeddings", func(t *T) {
		g := target{name: "llama.cpp", provider: "embedder", model: smollm}
		g.embeds(t, at)
	})
	run("embeddings where there are none", func(t *T) {
		at.post(t, "/v1/embeddings", doc{"model": llama.id(), "input": "hi"}).refused(t, 400, "")
	})
	run("an engine that refuses our key", func(t *T) {
		for _, stream := range []bool{false, true} {
			at.post(t, "/v1/chat/completions", merge(llama.chat("hi", 4, nil), doc{"model": "locked", "stream": stream})).refused(t, 502, "upstream_auth")
		}
	})
}

// crowd asks for more than there is room for; what waits is answered too.
func crowd(t *T, at surface) {
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			a, err := at.whole(t.ctx, "POST", "/v1/chat/completions", llama.chat("Hello", 6, doc{"seed": i}))
			if err != nil {
				t.Error(err)
			} else if a.status != 200 {
				t.Errorf("status %d: %s", a.status, short(a.body))
			}
		})
	}
	wait.Wait()
}

// volatile is what differs between two replies to the same request.
var volatile = regexp.MustCompile(`"id":"[^"]*"|"created":[0-9]+|"timings":\{[^{}]*\}`)

func settled(b []byte) []byte { return volatile.ReplaceAll(b, []byte("*")) }

// passage compares what hoosh gives with what the engine gives for the same
// bytes: one that was asked for in a way that hoosh knows nothing of.
func passage(t *T, at surface, e *engine) {
	same := func(what string, mine, its []byte) {
		if mine, its = settled(mine), settled(its); !bytes.Equal(mine, its) {
			t.Errorf("%s differs:\nhoosh:  %s\nengine: %s", what, mine, its)
		}
	}
	// Twice the prompt is computed anew, so that both are computed alike.
	whole := func(model string) []byte {
		return []byte(`{ "messages":[{"role":"user","content":"Name a colour \u00e9 \"x\" 日本"}],"model":"` + model + `",
		  "temperature":0, "seed":3,"max_tokens":8,"cache_prompt":false,"logprobs":true,"top_logprobs":2,"id_slot":0,"x_unknown":{"a":[1,2.50,null]} }`)
	}
	a, b := e.post(t, "/v1/chat/completions", whole(smollm)), at.post(t, "/v1/chat/completions", whole(llama.id()))
	same("a whole reply", b.want(t, 200, nil).body, a.want(t, 200, nil).body)

	stream := func(model string) []byte {
		return bytes.Replace(whole(model), []byte(`"seed":3,`), []byte(`"seed":3,"stream":true,"stream_options":{"include_usage":true},`), 1)
	}
	direct, through := e.stream(t, "/v1/chat/completions", stream(smollm)), at.stream(t, "/v1/chat/completions", stream(llama.id()))
	through.readAll(t).checkEnd(t)
	direct.readAll(t).checkEnd(t)
	same("a stream", through.raw.Bytes(), direct.raw.Bytes())

	bad := []byte(`{"model":"` + llama.id() + `","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"nonsense"}}}}`)
	a, b = e.post(t, "/v1/chat/completions", bad), at.post(t, "/v1/chat/completions", bad)
	if a.want(t, 400, nil); b.status != 400 || !bytes.Equal(sortedKeys(t, a.body), sortedKeys(t, b.body)) {
		t.Errorf("a refusal differs:\nhoosh:  %d %s\nengine: %s", b.status, b.body, a.body)
	}
}

// sortedKeys is the same JSON with its keys in order: those of llama.cpp's
// errors come in any.
func sortedKeys(t *T, b []byte) []byte {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, short(b))
	}
	out, _ := json.Marshal(v)
	return out
}

// embedding is OpenAI's, its vector as numbers or as base64.
type embedding struct {
	Object string
	Data   []struct {
		Index     int
		Embedding json.RawMessage
	}
	Usage *usage
}

func (g target) embeds(t *T, at surface) {
	ask := func(more doc) *embedding {
		var v embedding
		a := at.post(t, "/v1/embeddings", merge(doc{"model": g.id(), "input": []string{"the sea", "une clé à molette 🎈"}}, more)).want(t, 200, &v)
		if v.Object != "list" || len(v.Data) != 2 || v.Data[0].Index != 0 || v.Data[1].Index != 1 {
			t.Fatalf("want two embeddings in order: %s", short(a.body))
		}
		if v.Usage == nil || v.Usage.Prompt <= 0 {
			t.Errorf("no usage: %s", short(a.body))
		}
		return &v
	}
	floats, packed := ask(nil), ask(doc{"encoding_format": "base64"})
	for i := range 2 {
		a, b := numbers(t, floats.Data[i].Embedding), unpack(t, packed.Data[i].Embedding)
		if len(a) < 8 || len(a) != len(b) {
			t.Fatalf("%d numbers and %d in base64", len(a), len(b))
		}
		if c := cosine(a, b); c < 0.999 {
			t.Errorf("base64 holds another vector: cosine %f", c)
		}
	}
	if c := cosine(numbers(t, floats.Data[0].Embedding), numbers(t, floats.Data[1].Embedding)); c > 0.9999 {
		t.Errorf("two texts have the same vector")
	}
	var one embedding
	if at.post(t, "/v1/embeddings", doc{"model": g.id(), "input": "the sea"}).want(t, 200, &one); len(one.Data) != 1 {
		t.Fatalf("%d embeddings of one text", len(one.Data))
	}
	if c := cosine(numbers(t, one.Data[0].Embedding), numbers(t, floats.Data[0].Embedding)); c < 0.99 {
		t.Errorf("alone and in a list the same text has different vectors: cosine %f", c)
	}
}

func numbers(t *T, raw json.RawMessage) (v []float32) {
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("no vector of numbers: %v in %s", err, short(raw))
	}
	return v
}

func unpack(t *T, raw json.RawMessage) []float32 {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("no base64: %v in %s", err, short(raw))
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b)%4 != 0 {
		t.Fatalf("no base64 of float32s (%d bytes): %v", len(b), err)
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}
