// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/base64"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// geminiDummies stand for signatures of calls that another model made.
var geminiDummies = []string{"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}

// geminiPart is a part, with what the rules of signatures need of it.
type geminiPart struct {
	neutral.Part
	dummy bool // it has a signature that says that there is none
}

// geminiContent is a content, as far as the rules between contents need it.
type geminiContent struct {
	value
	role  string
	parts []geminiPart
}

func (t geminiContent) count(is func(neutral.Part) bool) (n int) {
	for _, p := range t.parts {
		if is(p.Part) {
			n++
		}
	}
	return n
}

func isResult(p neutral.Part) bool { return p.Result != nil }

func (g *geminiAsk) contents(v value) {
	if !v.there() {
		v.refuse("* GenerateContentRequest.contents: contents is not specified")
		return
	}
	var turns []geminiContent
	for _, e := range v.list() {
		o := e.object("role", "parts")
		t := geminiContent{value: e, role: "user"}
		if o.has("role") {
			if t.role = o.at("role").str(); t.role != "user" && t.role != "model" {
				e.refuse("Please use a valid role: user, model.")
			}
		}
		parts := []value{}
		if o.has("parts") {
			parts = o.at("parts").list()
		}
		if len(parts) == 0 {
			e.refuse("* GenerateContentRequest.%s.parts: contents.parts must not be empty.", e.path)
		}
		for _, p := range parts {
			t.parts = append(t.parts, g.part(p, t.role))
		}
		turns = append(turns, t)
		g.turns(t)
	}
	if len(turns) == 0 {
		v.refuse("* GenerateContentRequest.contents: contents is not specified")
		return
	}
	if g.c.ok() {
		g.paired(turns)
		g.signed(turns)
	}
}

// turns adds a content to what was asked: results in a turn of their own.
func (g *geminiAsk) turns(t geminiContent) {
	role := map[string]string{"user": "user", "model": "assistant"}[t.role]
	for i, p := range t.parts {
		as := role
		if p.Result != nil {
			as = "tool"
		}
		if i == 0 && as != "tool" {
			g.c.turn(as, p.Part)
		} else {
			g.c.say(as, p.Part)
		}
	}
}

var geminiData = []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse"}

func (g *geminiAsk) part(v value, role string) (p geminiPart) {
	o := v.object(append([]string{"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"}, geminiData...)...)
	var kinds []string
	for _, k := range geminiData {
		if o.has(k) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) != 1 {
		v.refuse("Invalid value at '%s' (oneof), oneof field 'data' must be set exactly once, and is set by %q.", v.path, kinds)
		return p
	}
	thought := o.at("thought").booleanOr()
	p.Signature, p.dummy = g.signature(o.at("thoughtSignature"))
	switch d := o.at(kinds[0]); kinds[0] {
	case "text":
		s := d.str()
		if s == "" && !o.has("thoughtSignature") {
			v.refuse("* GenerateContentRequest.%s: Unable to submit request because it has an empty text parameter.", v.path)
		}
		if thought {
			p.Thinking = s
		} else {
			p.Text = s
		}
	case "inlineData":
		m := d.object("mimeType", "data", "displayName")
		p.media(geminiBlob(m))
	case "fileData":
		m := d.object("mimeType", "fileUri", "displayName")
		p.media(&neutral.Media{Type: m.at("mimeType").strOr(), URL: m.at("fileUri").some(), Name: m.at("displayName").strOr()})
	case "functionCall":
		if role != "model" {
			v.refuse("%s: function_call is only allowed in the contents of the role 'model'.", v.path)
		}
		f := d.object("id", "name", "args", "partialArgs", "willContinue")
		call := &neutral.Call{ID: f.at("id").strOr(), Name: f.at("name").matches(geminiName), Args: "{}"}
		if f.has("args") {
			if a := f.at("args"); !a.is('{') {
				a.wrong("an object")
			}
			call.Args = string(f.at("args").raw)
		}
		p.Call = call
	case "functionResponse":
		if role != "user" {
			v.refuse("%s: function_response is only allowed in the contents of the role 'user'.", v.path)
		}
		p.Result = geminiResult(d.object("id", "name", "response", "parts", "willContinue", "scheduling"))
	}
	return p
}

// media puts m where it belongs by its type, or by its name.
func (p *geminiPart) media(m *neutral.Media) {
	kind := m.Type
	if kind == "" {
		name, _, _ := strings.Cut(m.URL, "?")
		if slices.Contains([]string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic"}, strings.ToLower(path.Ext(name))) {
			kind = "image/"
		}
	}
	if strings.HasPrefix(kind, "image/") {
		p.Image = m
	} else {
		p.File = m
	}
}

func geminiBlob(o object) *neutral.Media {
	m := &neutral.Media{Type: o.at("mimeType").str(), Data: o.at("data").some(), Name: o.at("displayName").strOr()}
	if !strings.Contains(m.Type, "/") {
		o.refuse("Unsupported MIME type: %s", m.Type)
	}
	b, ok := protoBytes(m.Data)
	if !ok {
		o.refuse("Invalid value at '%s' (TYPE_BYTES), Base64 decoding failed", o.at("data").path)
	}
	m.Data = base64.StdEncoding.EncodeToString(b)
	return m
}

// protoBytes decodes bytes in JSON: base64 in either alphabet, padded or not.
func protoBytes(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

// signature reads one, which must be of this server's making, or a dummy.
func (g *geminiAsk) signature(v value) (s string, dummy bool) {
	if !v.there() {
		return "", false
	}
	s = v.str()
	b, ok := protoBytes(s)
	switch {
	case slices.Contains(geminiDummies, s) || ok && slices.Contains(geminiDummies, string(b)):
		return "", true
	case !ok:
		v.refuse("Invalid value at '%s' (TYPE_BYTES), Base64 decoding failed for %.40q", v.path, s)
	default:
		s = base64.StdEncoding.EncodeToString(b)
		if g.c.s.known(s) == nil {
			v.refuse("Corrupted thought signature.")
		}
	}
	return s, false
}

// geminiResult reads what a function answered. What the model is shown is under
// "output" or "error", or all of it.
func geminiResult(o object) *neutral.Result {
	r := &neutral.Result{ID: o.at("id").strOr(), Name: o.at("name").matches(geminiName)}
	response := o.at("response")
	if !response.is('{') {
		response.wrong("an object")
		return r
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(response.raw, &m); err != nil {
		response.refuse("%v", err)
	}
	r.Text = string(response.raw)
	for _, key := range []string{"output", "error", "result"} {
		raw, there := m[key]
		if !there || len(m) > 1 {
			continue
		}
		r.Failed = key == "error"
		r.Text = string(raw)
		var s string
		if json.Unmarshal(raw, &s) == nil {
			r.Text = s
		}
	}
	if o.has("parts") {
		for _, e := range o.at("parts").list() {
			p := e.object("inlineData", "fileData")
			if p.has("inlineData") {
				r.Image = geminiBlob(p.at("inlineData").object("mimeType", "data", "displayName"))
			} else {
				f := p.at("fileData").object("mimeType", "fileUri", "displayName")
				r.Image = &neutral.Media{Type: f.at("mimeType").strOr(), URL: f.at("fileUri").some()}
			}
		}
	}
	return r
}

// paired checks that calls come after the user or results, and that the results
// of all of them come right after.
func (g *geminiAsk) paired(turns []geminiContent) {
	for i, t := range turns {
		calls := t.count(isCall)
		if calls > 0 && (i == 0 || turns[i-1].role != "user") {
			t.refuse("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		}
		if calls > 0 && (i+1 == len(turns) || turns[i+1].count(isResult) != calls) {
			t.refuse("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
			return
		}
		if t.count(isResult) == 0 {
			continue
		}
		if i == 0 || turns[i-1].count(isCall) != t.count(isResult) {
			t.refuse("Please ensure that function response turn comes immediately after a function call turn.")
			return
		}
		var open []*neutral.Call
		for _, p := range turns[i-1].parts {
			if p.Call != nil {
				open = append(open, p.Call)
			}
		}
		for _, p := range t.parts {
			if p.Result == nil {
				continue
			}
			n := slices.IndexFunc(open, func(c *neutral.Call) bool {
				return c.Name == p.Result.Name && (c.ID == p.Result.ID || p.Result.ID == "")
			})
			if n < 0 {
				t.refuse("%s: the function response %q (id %q) does not match a function call of the turn before.", t.path, p.Result.Name, p.Result.ID)
				return
			}
			open = slices.Delete(open, n, n+1)
		}
	}
}

// signed checks, for models of the third generation, that each step since the
// user last spoke begins its calls with a signature.
func (g *geminiAsk) signed(turns []geminiContent) {
	if !g.third {
		return
	}
	begin := 0
	for i, t := range turns {
		if t.role == "user" && t.count(isResult) < len(t.parts) {
			begin = i + 1
		}
	}
	for _, t := range turns[begin:] {
		for i, p := range t.parts {
			if p.Call == nil {
				continue
			}
			if p.Signature == "" && !p.dummy {
				t.refuse("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature "+
					"may lead to degraded model performance. Function call `default_api:%s`, position %d.", p.Call.Name, i+1)
			}
			break
		}
	}
}
