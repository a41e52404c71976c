// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

// write puts a configuration into a file of the case's own.
func write(t *T, config string) string {
	file := filepath.Join(t.TempDir(), "hoosh.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// manners are what a client and a backend may count on.
func (s *suite) manners(w *world) {
	s.pairs(w, "requests pass byte by byte", setting{}, requestBytes)
	s.pairs(w, "a large prompt", setting{}, func(t *T, p *pair) {
		body := hello("pair", doc{"messages": []doc{{"role": "user", "content": strings.Repeat("a line of the prompt, \"quoted\"\n", 40_000)}}})
		p.post(t, "/v1/chat/completions", body).want(t, 200, nil)
		if n := len(p.a.Last().Body); n < 1_200_000 {
			t.Errorf("only %d bytes came through", n)
		}
	})
	s.pairs(w, "tool calls", setting{}, toolCalls)
	s.pairs(w, "embeddings", setting{}, func(t *T, p *pair) { target{provider: "a", model: "test-model"}.embeds(t, p.surface) })
	s.pairs(w, "cut characters come whole", setting{}, func(t *T, p *pair) {
		p.a.Answer(hooshtest.Faulty(hooshtest.SplitUTF8, 0))
		r := p.stream(t, "/v1/chat/completions", hello("alone", doc{"stream": true})).readAll(t)
		if r.checkEnd(t); !strings.Contains(r.text, "日本語 🎈") {
			t.Errorf("text %q", r.text)
		}
	})
	s.pairs(w, "a limit of the backend", setting{}, func(t *T, p *pair) {
		p.a.Answer(hooshtest.Status(429, 2*time.Second))
		a := p.post(t, "/v1/chat/completions", hello("alone", nil))
		a.refused(t, 429, "rate_limit_exceeded")
		if got := a.header.Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After: %q", got)
		}
	})
	s.pairs(w, "keep-alive while a backend is silent", setting{more: "server: {keepalive: 100ms}\n"}, func(t *T, p *pair) {
		a := hooshtest.Text("at last something")
		a.Delay = 450 * time.Millisecond
		p.a.Answer(a)
		st := p.stream(t, "/v1/chat/completions", hello("alone", doc{"stream": true}))
		st.readAll(t).checkEnd(t)
		head, _, _ := strings.Cut(st.raw.String(), "data:")
		if n := strings.Count(head, ": keep-alive\n\n"); n < 2 {
			t.Errorf("%d comments before the first event: %q", n, head)
		}
	})
	s.pairs(w, "a client that leaves is not computed for", setting{}, leaves)
	s.pairs(w, "a key for the backend", setting{extra: ", key: up-key", backend: []hooshtest.Option{hooshtest.Key("up-key"), hooshtest.Strict()}}, func(t *T, p *pair) {
		p.answered(t, "alone", "a", "1", true)
		p.answered(t, "alone", "a", "1", false)
	})
	s.pairs(w, "200 calls side by side", setting{}, manyCalls)
	s.pairs(w, "keys of callers", setting{more: "keys:\n  - {name: one, secret: key-one}\n  - {name: two, secret: key-two, models: [other]}\n"}, callerKeys)
	s.hangers(w)
	s.run("served scripted: SIGTERM lets streams end", func(t *T) { drain(t, w) })
	s.run("served: a wrong configuration is refused with its line", func(t *T) { refusedConfig(t, w) })
}

// requestBytes sends what no struct would keep, and looks at what arrives.
func requestBytes(t *T, p *pair) {
	const body = `{ "messages" : [ {"role":"user","content":"\u0041 \ud83c\udf88 日本","x":{"deep":[1.0,2e3,-0]}} ] ,
	"temperature":0, "model" : "pair", "new_key_of_2030":{"b":1,"a":[null,true]}, "max_tokens":5,"stop":[] }`
	p.post(t, "/v1/chat/completions", []byte(body)).want(t, 200, nil)
	want := strings.Replace(body, `"pair"`, `"test-model"`, 1)
	if got := p.a.Last().Body; !bytes.Equal(got, []byte(want)) {
		t.Errorf("sent:\n%s\narrived:\n%s", want, got)
	}
	const answer = `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\u0041\ud83c\udf88","zz":[1.50]},"finish_reason":"stop"}],"new":{"b":1,"a":2},"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	p.a.Answer(hooshtest.Raw(200, "application/json", answer))
	if a := p.post(t, "/v1/chat/completions", []byte(body)).want(t, 200, nil); string(a.body) != answer {
		t.Errorf("the backend said:\n%s\nthe client got:\n%s", answer, a.body)
	}
}

func toolCalls(t *T, p *pair) {
	tool := doc{"type": "function", "function": doc{"name": "weather", "parameters": doc{"type": "object", "properties": doc{"city": doc{"type": "string"}}}}}
	body := hello("pair", doc{"tools": []doc{tool}, "tool_choice": "auto"})
	p.a.Answer(hooshtest.Tool("weather", `{"city":"Köln","unit":"celsius"}`))
	var c completion
	p.post(t, "/v1/chat/completions", body).want(t, 200, &c)
	calls := c.Choices[0].Message.ToolCalls
	if c.Choices[0].FinishReason != "tool_calls" || len(calls) != 1 || calls[0].ID == "" || calls[0].Function.Name != "weather" || calls[0].Function.Arguments != `{"city":"Köln","unit":"celsius"}` {
		t.Fatalf("unexpected: %+v", c)
	}
	r := p.stream(t, "/v1/chat/completions", merge(body, doc{"stream": true})).readAll(t)
	if !r.done || r.finish != "tool_calls" || r.toolName != "weather" || r.toolArgs != `{"city":"Köln","unit":"celsius"}` || r.toolBits < 2 {
		t.Errorf("unexpected: %+v", r)
	}
	p.a.Answer(hooshtest.Text("It rains"))
	body = hello("pair", doc{"tools": []doc{tool}, "messages": []doc{
		{"role": "user", "content": "And the weather?"},
		{"role": "assistant", "content": nil, "tool_calls": []doc{{"id": calls[0].ID, "type": "function", "function": doc{"name": "weather", "arguments": calls[0].Function.Arguments}}}},
		{"role": "tool", "tool_call_id": calls[0].ID, "content": "rain"},
	}})
	p.post(t, "/v1/chat/completions", body).want(t, 200, nil)
	var sent struct{ Messages []json.RawMessage }
	if p.a.Last().JSON(&sent); len(sent.Messages) != 3 || !bytes.Contains(sent.Messages[2], []byte(calls[0].ID)) {
		t.Errorf("the result did not arrive: %s", short(p.a.Last().Body))
	}
}

func leaves(t *T, p *pair) {
	for i, stream := range []bool{true, false} {
		step := make(chan struct{}, 3)
		for range 3 {
			step <- struct{}{}
		}
		if stream {
			p.a.Answer(hooshtest.Answer{Text: "one two three four five six", Step: step})
		} else {
			p.a.Answer(hooshtest.Faulty(hooshtest.Hang, 0))
		}
		ctx, cancel := context.WithCancel(t.ctx)
		go func() {
			p.a.Wait(10*time.Second, func() bool { return p.a.InFlight() == 1 })
			time.Sleep(50 * time.Millisecond) // let what comes before come
			cancel()
		}()
		resp, err := p.send(ctx, http.MethodPost, "/v1/chat/completions", hello("alone", doc{"stream": stream}))
		if err == nil {
			for buf := make([]byte, 1024); err == nil; {
				_, err = resp.Body.Read(buf)
			}
			resp.Body.Close()
		}
		if !p.a.Wait(time.Second, func() bool { return p.a.Gone() == i+1 && p.a.InFlight() == 0 }) {
			t.Fatalf("a second after the client left (stream: %v) the backend still computes", stream)
		}
	}
}

func manyCalls(t *T, p *pair) {
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			stream := i%2 == 0
			a, err := p.whole(t.ctx, "POST", "/v1/chat/completions", hello("pair", doc{"stream": stream, "user": fmt.Sprint(i)}))
			switch {
			case err != nil:
				t.Error(err)
			case a.status != 200 || !bytes.Contains(a.body, []byte("there")) || stream != bytes.HasSuffix(a.body, []byte("data: [DONE]\n\n")):
				t.Errorf("call %d: %d %s", i, a.status, short(a.body))
			}
		})
	}
	wait.Wait()
	if n := p.a.Calls() + p.b.Calls(); n != 200 || p.a.InFlight() != 0 {
		t.Errorf("the backends had %d calls, and %d have not ended", n, p.a.InFlight())
	}
}

func callerKeys(t *T, p *pair) {
	if p.inProcess { // the program is its own gate there
		p.answered(t, "pair", "a", "1", false)
		return
	}
	chat := "/v1/chat/completions"
	p.post(t, chat, hello("pair", nil)).refused(t, 401, "invalid_api_key")
	p.post(t, chat, hello("pair", nil), "Authorization", "Bearer key-on").refused(t, 401, "invalid_api_key")
	p.post(t, chat, hello("pair", nil), "Authorization", "Bearer key-one").want(t, 200, nil)
	p.post(t, chat, hello("pair", nil), "Authorization", "Bearer key-two").refused(t, 403, "")
	p.get(t, "/v1/models").refused(t, 401, "invalid_api_key")
	p.get(t, "/livez").want(t, 200, nil)
	if got := p.a.Last().Header.Get("Authorization"); got != "" {
		t.Errorf("the caller's key went to the backend: %q", got)
	}
}

// drain asks a hoosh to end while a stream is under way.
func drain(t *T, w *world) {
	a := hooshtest.NewTCP(t)
	step := make(chan struct{})
	a.Answer(hooshtest.Answer{Text: "one two three four five six", Step: step})
	h := serveAs(t, w, pairConfig(a, a, "", ""))
	at := overHTTP("served", h.URL)
	go func() { step <- struct{}{}; step <- struct{}{} }()
	st := at.stream(t, "/v1/chat/completions", hello("alone", doc{"stream": true}))
	if _, err := st.next(); err != nil {
		t.Fatal(err)
	}
	if err := h.Terminate(); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "nothing new is let in", func() bool {
		_, err := at.whole(t.ctx, "GET", "/livez", nil)
		return err != nil
	})
	close(step)
	st.readAll(t).checkEnd(t)
	select {
	case <-h.Done():
	case <-time.After(5 * time.Second):
		t.Fatalf("it does not end after its last stream")
	}
	if h.ExitCode() != 0 {
		t.Errorf("exit code %d: %s", h.ExitCode(), h.Output())
	}
}

// hangers: a backend of which not even a model list comes hides none of the
// others, not even while it is looked at for the first time.
func (s *suite) hangers(w *world) {
	s.run("served scripted: a backend that hangs hides no other", func(t *T) {
		a, b := hooshtest.NewTCP(t), hooshtest.NewTCP(t)
		a.Probes(func(*hooshtest.Request) hooshtest.Answer { return hooshtest.Faulty(hooshtest.Hang, 0) })
		at := serve(t, w, fmt.Sprintf("version: 1\nproviders:\n  - {name: a, driver: compat, base_url: %q}\n  - {name: b, driver: compat, base_url: %q}\n", a.URL(), b.URL()))
		for range 3 {
			at.post(t, "/v1/chat/completions", hello("test-model", nil)).want(t, 200, nil)
			target{provider: "b", model: "test-model"}.listed(t, at)
		}
	})
}
