// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// roundTripper is a backend without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering gives a transport that reads each request and answers with body.
func answering(contentType string, body []byte) http.RoundTripper {
	header := http.Header{"Content-Type": {contentType}}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	})
}

// upstreamDoer is the least of a provider.
type upstreamDoer struct {
	*hoosh.Upstream
	path *url.URL
}

func (d upstreamDoer) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	return d.Upstream.Do(ctx, c, d.path)
}

func newUpstream(tb testing.TB, name string, rt http.RoundTripper) upstreamDoer {
	tb.Helper()
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: name, BaseURL: "http://backend.test/v1", Key: "sk-x", Transport: rt},
		hoosh.Driver{}, &hoosh.Profile{Dialect: hoosh.OpenAI}, "Authorization: Bearer ")
	if err != nil {
		tb.Fatal(err)
	}
	return upstreamDoer{u, u.URL("/chat/completions")}
}

func newRouter(tb testing.TB, providers []hoosh.Provider, routes ...hoosh.Route) *hoosh.Router {
	tb.Helper()
	r, err := hoosh.NewRouter(providers, routes)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

func chatBody(model string, promptBytes int, stream bool) []byte {
	prompt := strings.Repeat("The quick brown fox jumps over the lazy dog.\\n", promptBytes/46+1)
	return fmt.Appendf(nil, `{"model":%q,"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"%s"}],"temperature":0.7,"max_tokens":256,"stream":%t}`, model, prompt, stream)
}

const wholeAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1732000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":220,"completion_tokens":160,"total_tokens":380}}`

// BenchmarkEngine is a whole call of the engine over a backend that costs
// nothing: envelope, route, splice, exchange, scan, settlement.
func BenchmarkEngine(b *testing.B) {
	answer := fmt.Appendf(nil, wholeAnswer, strings.Repeat("word ", 128))
	for _, size := range []int{800, 200_000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			r := newRouter(b, []hoosh.Provider{{Name: "up", Doer: newUpstream(b, "up", answering("application/json", answer)), Models: []string{"m"}}})
			body := chatBody("m", size, false)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				c, err := hoosh.ReadCall(hoosh.OpenAI, hoosh.OpChat, bytes.NewReader(body), int64(len(body)), 32<<20, 0)
				if err != nil {
					b.Fatal(err)
				}
				reply, err := r.Do(ctx, c)
				if err != nil || len(reply.Body) == 0 {
					b.Fatal(err)
				}
				c.Release()
			}
		})
	}
}

// BenchmarkEngineNull is the same without the HTTP exchange: what the engine
// adds to whatever a Doer does.
func BenchmarkEngineNull(b *testing.B) {
	answer := fmt.Appendf(nil, wholeAnswer, strings.Repeat("word ", 128))
	null := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: answer}, nil
	})
	r := newRouter(b, []hoosh.Provider{{Name: "null", Doer: null, Models: []string{"m"}}})
	body := chatBody("m", 800, false)
	reader := bytes.NewReader(body)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		c, err := hoosh.ReadCall(hoosh.OpenAI, hoosh.OpChat, reader, int64(len(body)), 32<<20, 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Do(ctx, c); err != nil {
			b.Fatal(err)
		}
		c.Release()
	}
}

func streamBytes(events int) []byte {
	var s bytes.Buffer
	s.WriteString("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1732000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n")
	for i := range events {
		fmt.Fprintf(&s, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1732000000,\"model\":\"m\",\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n", i)
	}
	s.WriteString("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1732000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n")
	s.WriteString("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1732000000,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20,\"total_tokens\":30}}\n\ndata: [DONE]\n\n")
	return s.Bytes()
}

// BenchmarkFrame is one frame of a stream on its way through the engine.
func BenchmarkFrame(b *testing.B) {
	const events = 1000
	r := newRouter(b, []hoosh.Provider{{Name: "up", Doer: newUpstream(b, "up", answering("text/event-stream", streamBytes(events))), Models: []string{"m"}}})
	body := chatBody("m", 800, true)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	frames := 0
	for b.Loop() {
		c, _ := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, body)
		reply, err := r.Do(ctx, c)
		if err != nil {
			b.Fatal(err)
		}
		for {
			_, err := reply.Stream.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			frames++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
}
