// SPDX-License-Identifier: AGPL-3.0-only

package all_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
)

// preset is what a provider of a preset has.
type preset interface {
	hoosh.Doer
	Profile() *hoosh.Profile
	Models(context.Context) ([]hoosh.Model, error)
	Capabilities(string) hoosh.Capabilities
	Health(context.Context) error
	Close() error
}

// provider makes one of a preset's kind.
func provider(t *testing.T, name string, cfg hoosh.ProviderConfig) preset {
	t.Helper()
	d := driver(t, name)
	if cfg.BaseURL == "" && d.BaseURL == "" {
		cfg.BaseURL = "https://backend.test"
	}
	if cfg.Name == "" {
		cfg.Name = "p"
	}
	doer, err := d.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := doer.(preset)
	if !ok {
		t.Fatalf("%s is a %T", name, doer)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// body is what goes to the vendor for a body in OpenAI's words.
func body(t *testing.T, name string, op hoosh.Operation, in string) (out string, dropped []string) {
	t.Helper()
	c, err := hoosh.ParseCall(hoosh.OpenAI, op, []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	b, dropped, err := c.BodyFor(provider(t, name, hoosh.ProviderConfig{}).Profile())
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(b.Bytes()) {
		t.Errorf("%s makes %s", name, b.Bytes())
	}
	return string(b.Bytes()), dropped
}

// messages stand in every body below.
const messages = `"messages":[{"role":"user","content":"Hi"}]`

// TestRules is what each vendor's own way makes of a body; see the vendors'
// pages, and the notes on deviations in the package comments.
func TestRules(t *testing.T) {
	chat := func(model, more string) string { return `{"model":"` + model + `",` + messages + more + `}` }
	for _, tc := range []struct {
		name    string
		op      hoosh.Operation
		in, out string
		dropped string
	}{
		// What nobody has an opinion on arrives as it was sent.
		{name: "openai", in: chat("gpt-4o", `,"temperature":7E-1,"stop":"x","logprobs":true,"max_tokens":5,"zeta":1`), out: chat("gpt-4o", `,"temperature":7E-1,"stop":"x","logprobs":true,"max_tokens":5,"zeta":1`)},
		{name: "openai", in: chat("o3-mini", `,"max_tokens":5,"temperature":0.7,"top_p":1,"stop":["x"],"logprobs":true,"top_logprobs":2,"presence_penalty":0,"frequency_penalty":0.5,"logit_bias":{},"seed":1`),
			out: chat("o3-mini", `,"max_completion_tokens":5,"top_p":1,"presence_penalty":0,"seed":1`), dropped: "temperature stop logprobs top_logprobs frequency_penalty logit_bias"},
		{name: "openai", in: chat("gpt-5.4", `,"max_tokens":5,"max_completion_tokens":6,"temperature":1`), out: chat("gpt-5.4", `,"max_completion_tokens":6,"temperature":1`), dropped: "max_tokens"},
		{name: "azure", in: chat("o4-mini", `,"max_tokens":5`), out: chat("o4-mini", `,"max_completion_tokens":5`)},
		{name: "mistral", in: chat("m", `,"seed":7,"max_completion_tokens":5,"user":"u","store":true,"metadata":{},"service_tier":"auto","logprobs":true,"top_logprobs":1,"logit_bias":{},"stream":true,"stream_options":{"include_usage":true},"tool_choice":"required"`),
			out: chat("m", `,"random_seed":7,"max_tokens":5,"stream":true,"tool_choice":"any"`), dropped: "user store metadata service_tier logprobs top_logprobs logit_bias"},
		{name: "mistral", in: chat("m", `,"stream":true`), out: chat("m", `,"stream":true`)},
		{name: "mistral", in: chat("m", `,"tool_choice":"auto"`), out: chat("m", `,"tool_choice":"auto"`)},
		{name: "mistral", op: hoosh.OpEmbed, in: `{"model":"m","input":"a","encoding_format":"base64","dimensions":5,"user":"u"}`, out: `{"model":"m","input":"a","output_dimension":5}`, dropped: "encoding_format user"},
		{name: "mistral", op: hoosh.OpEmbed, in: `{"model":"m","input":"a","encoding_format":"float"}`, out: `{"model":"m","input":"a","encoding_format":"float"}`},
		{name: "deepseek", in: chat("m", `,"max_completion_tokens":5,"user":"u"`), out: chat("m", `,"max_tokens":5,"user":"u"`)},
		{name: "groq", in: chat("m", `,"logprobs":true,"top_logprobs":3,"logit_bias":{},"store":false,"max_completion_tokens":5,"service_tier":"flex","reasoning_format":"parsed"`),
			out: chat("m", `,"max_completion_tokens":5,"service_tier":"flex","reasoning_format":"parsed"`), dropped: "logprobs top_logprobs logit_bias store"},
		{name: "grok", in: chat("grok-4-fast", `,"stop":"x","presence_penalty":1,"frequency_penalty":1,"reasoning_effort":"low","temperature":0.2`),
			out: chat("grok-4-fast", `,"temperature":0.2`), dropped: "stop presence_penalty frequency_penalty reasoning_effort"},
		{name: "grok", in: chat("grok-3-mini", `,"stop":"x","reasoning_effort":"low"`), out: chat("grok-3-mini", `,"stop":"x","reasoning_effort":"low"`)},
		{name: "openrouter", in: chat("openai/o3", `,"max_tokens":5,"temperature":0.1,"provider":{"order":["x"]},"transforms":[],"usage":{"include":true}`),
			out: chat("openai/o3", `,"max_tokens":5,"temperature":0.1,"provider":{"order":["x"]},"transforms":[],"usage":{"include":true}`)},
		{name: "cerebras", in: chat("m", `,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{},"parallel_tool_calls":true,"service_tier":"auto"`),
			out: chat("m", ``), dropped: "frequency_penalty presence_penalty logit_bias parallel_tool_calls service_tier"},
		{name: "perplexity", in: chat("sonar", `,"max_completion_tokens":5,"seed":1,"search_mode":"web"`), out: chat("sonar", `,"max_tokens":5,"search_mode":"web"`), dropped: "seed"},
		{name: "cohere", in: chat("m", `,"n":1,"store":true,"max_completion_tokens":5`), out: chat("m", `,"n":1,"max_tokens":5`), dropped: "store"},
		{name: "llamacpp", in: chat("m", `,"max_completion_tokens":5,"grammar":"root ::= x","cache_prompt":true`), out: chat("m", `,"max_completion_tokens":5,"grammar":"root ::= x","cache_prompt":true`)},
		{name: "compat", in: chat("m", `,"max_completion_tokens":5,"anything":null`), out: chat("m", `,"max_completion_tokens":5,"anything":null`)},
	} {
		out, dropped := body(t, tc.name, tc.op, tc.in)
		if out != tc.out || strings.Join(dropped, " ") != tc.dropped {
			t.Errorf("%s:\n in   %s\n out  %s\n want %s\n dropped %q, want %q", tc.name, tc.in, out, tc.out, dropped, tc.dropped)
		}
	}
}

// TestDeveloper: who knows the role gets it, to the others it is the system's.
func TestDeveloper(t *testing.T) {
	know := []string{"openai", "azure", "openrouter", "grok", "cohere", "compat"}
	in := `{"model":"m","messages":[{"role":"developer","content":"Be \u0062rief."},{"role":"user","content":"developer"}]}`
	for _, d := range drivers {
		if slices.Contains([]string{"anthropic", "echo", "google", "hoosh", "ollama"}, d.name) {
			continue
		}
		want := in
		if !slices.Contains(know, d.name) {
			want = strings.Replace(in, `"developer"`, `"system"`, 1)
		}
		if out, dropped := body(t, d.name, hoosh.OpChat, in); out != want || dropped != nil {
			t.Errorf("%s: %s, dropped %v", d.name, out, dropped)
		}
	}
}

// TestLacks: what no model of a vendor can do is known before a call.
func TestLacks(t *testing.T) {
	for name, lacks := range map[string]hoosh.Features{
		"openai":     0,
		"deepseek":   hoosh.FeatureVision,
		"groq":       hoosh.FeatureChoices | hoosh.FeatureEmbed,
		"perplexity": hoosh.FeatureTools,
		"synapse":    hoosh.FeatureEmbed,
	} {
		can := provider(t, name, hoosh.ProviderConfig{}).Capabilities("any").Features
		if can&lacks != 0 || name == "openai" && can&hoosh.AllFeatures != hoosh.AllFeatures || can&hoosh.FeatureChat == 0 {
			t.Errorf("%s can %v", name, can)
		}
	}
}

var mistralID = regexp.MustCompile(`^[a-zA-Z0-9]{9}$`)

// history is a conversation with two calls of a tool, of which ids are of other
// vendors' forms.
func history(first, second string) string {
	return `{"model":"m","messages":[{"role":"user","content":"Hi"},
		{"role":"assistant","content":null,"tool_calls":[{"id":"` + first + `","type":"function","function":{"name":"f","arguments":"{\"id\":\"` + first + `\"}"}},{"id":"` + second + `","type":"function","function":{"name":"g","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"` + first + `","content":"1"},{"role":"tool","tool_call_id":"` + second + `","content":"2"}]}`
}

// TestMistralIDs: nine letters and digits, the same for the same in calls and
// results, and different for different.
func TestMistralIDs(t *testing.T) {
	type message struct {
		Calls []struct{ ID string } `json:"tool_calls"`
		ID    string                `json:"tool_call_id"`
	}
	ids := func(first, second string) (string, string) {
		t.Helper()
		out, _ := body(t, "mistral", hoosh.OpChat, history(first, second))
		var sent struct{ Messages []message }
		if err := json.Unmarshal([]byte(out), &sent); err != nil {
			t.Fatal(err)
		}
		a, b := sent.Messages[1].Calls[0].ID, sent.Messages[1].Calls[1].ID
		if sent.Messages[2].ID != a || sent.Messages[3].ID != b {
			t.Errorf("the results are of other calls: %s", out)
		}
		return a, b
	}
	a, b := ids("call_5kQx7Yz", "toolu_01A09q90qw90lq917835lq9")
	if !mistralID.MatchString(a) || !mistralID.MatchString(b) || a == b {
		t.Errorf("%q, %q", a, b)
	}
	if again, other := ids("call_5kQx7Yz", "call_5kQx7YzA"); again != a || other == b {
		t.Errorf("the same call is %q and then %q", a, again)
	}
	if kept, _ := ids("D681PevKs", "short"); kept != "D681PevKs" {
		t.Errorf("an id of Mistral's own became %q", kept)
	}
	if empty, _ := ids("", "nine-char"); !mistralID.MatchString(empty) {
		t.Errorf("no id became %q", empty)
	}
	toolID := provider(t, "mistral", hoosh.ProviderConfig{}).Profile().ToolID
	seen := map[string]bool{}
	for i := range 100_000 {
		id := toolID(strconv.Itoa(i))
		if !mistralID.MatchString(id) || seen[id] {
			t.Fatalf("id %d is %q, as one before it", i, id)
		}
		seen[id] = true
	}
}

// TestDroppedIsTold: what a rule leaves out is named in the reply.
func TestDroppedIsTold(t *testing.T) {
	b := hooshtest.New(t)
	p := provider(t, "groq", hoosh.ProviderConfig{BaseURL: b.URL(), DialContext: b.DialContext})
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(`{"model":"test-model",`+messages+`,"logprobs":true}`))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	reply, err := p.Do(context.Background(), c)
	if err != nil || !slices.Equal(reply.Dropped, []string{"logprobs"}) {
		t.Errorf("%+v, %v", reply, err)
	}
}

// TestAzure: a deployment is reached by the provider's name, and by its own where
// the configuration names it.
func TestAzure(t *testing.T) {
	b := hooshtest.New(t)
	r, err := hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{
		{Name: "azure", BaseURL: "http://me.test", Key: "k", DialContext: b.DialContext},
		{Name: "east", Driver: "azure", BaseURL: "http://you.test/openai/v1", Key: "k", Models: []string{"my-gpt"}, DialContext: b.DialContext},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b.Script(func(q *hooshtest.Request) hooshtest.Answer {
		return hooshtest.Raw(200, "application/json", `{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}`)
	})
	for model, want := range map[string]string{"azure/any": "me.test", "my-gpt": "you.test"} {
		_, err := r.Infer(context.Background(), &hoosh.Request{Model: model, Messages: []hoosh.Message{hoosh.User("Hi")}})
		got := b.Last()
		if err != nil || got.Path != "/openai/v1/chat/completions" || got.Header.Get("Api-Key") != "k" || got.Host != want || got.Model != strings.TrimPrefix(model, "azure/") {
			t.Errorf("%s: %v; %s%s for %s", model, err, got.Host, got.Path, got.Model)
		}
	}
	if _, err := r.Infer(context.Background(), &hoosh.Request{Model: "other", Messages: []hoosh.Message{hoosh.User("Hi")}}); !errors.Is(err, hoosh.ErrModelNotFound) {
		t.Errorf("it takes a name that it may not have: %v", err)
	}
}
