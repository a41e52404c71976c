// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"strings"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Envelope is what one look at a body finds without decoding it: enough to
// route the call and to change the few bytes that must change.
type Envelope struct {
	Model      string
	Stream     bool
	MaxTokens  int      // the ceiling that the caller asked for, 0: none
	Choices    int      // how many answers, at least 1
	WantsUsage bool     // the caller asked to see the usage of a stream
	Needs      Features // what the backend must be able to do
	Text       int      // bytes of text in the prompt, as they stand in the JSON
	Deep       Deep     // what a [Profile] may have to change within messages

	// Keys are the top-level members in order. End is the offset of the brace
	// that closes the body.
	Keys []TopKey
	End  int
	few  [16]TopKey
}

// Deep marks what stands within messages and what a vendor may want otherwise.
type Deep uint8

// Marks of an envelope.
const (
	DeepDeveloper  Deep = 1 << iota // a message of role developer
	DeepToolIDs                     // tool calls or results, with ids
	DeepThinking                    // thinking of the model
	DeepSignatures                  // signatures, or ids with a seal: see [Signature]
)

// TopKey is where a top-level member stands in a body.
type TopKey struct {
	Name     []byte // between the quotes, as it stood; aliases the body
	Start    int    // offset of the name's opening quote
	From, To int    // the value
}

// MaxKeys is the most top-level members that a body may have: each is held, and
// looked at by each rule of a vendor.
const MaxKeys = 512

// AddKey notes a member. For dialects.
func (e *Envelope) AddKey(k TopKey) {
	if e.Keys == nil {
		e.Keys = e.few[:0]
	}
	e.Keys = append(e.Keys, k)
}

// Key finds the first member whose name reads as name, escapes and case
// notwithstanding; ok is false when there is none.
func (e *Envelope) Key(name string) (k TopKey, ok bool) {
	for i := range e.Keys {
		if string(e.Keys[i].Name) == name {
			return e.Keys[i], true
		}
	}
	for i := range e.Keys {
		if jsonpeek.EqualFold(e.Keys[i].Name, name) {
			return e.Keys[i], true
		}
	}
	return TopKey{}, false
}

// Has reports that there is such a member.
func (e *Envelope) Has(name string) bool {
	_, ok := e.Key(name)
	return ok
}

// Features are abilities of a model at a backend, or what a call needs of it.
type Features uint16

// The features.
const (
	FeatureChat Features = 1 << iota
	FeatureCompletion
	FeatureEmbed
	FeatureTools
	FeatureVision
	FeatureAudio
	FeatureFiles
	FeatureJSONSchema
	FeatureThinking
	FeatureChoices // more than one answer to a call
	FeatureCount   // it counts the tokens of a chat
	FeatureImages
	FeatureModeration
	FeatureRerank
)

// AllFeatures is every ability of a language model. The others, from
// [FeatureCount] on, a backend has only if it is said.
const AllFeatures = FeatureCount - 1

var featureNames = [...]string{"chat", "completion", "embeddings", "tools", "vision", "audio", "files", "json-schema", "thinking", "several choices",
	"token counting", "images", "moderation", "reranking"}

// String lists the names: "tools, vision".
func (f Features) String() string {
	var names []string
	for i, name := range featureNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Capabilities say what a model can do at a backend.
type Capabilities struct {
	Features Features
	Context  int // tokens of the context window, 0: unknown
}

// opFeature is what an operation needs in any case.
func opFeature(op Operation) Features {
	switch op {
	case OpCompletion:
		return FeatureCompletion
	case OpEmbed:
		return FeatureEmbed
	case OpCount:
		return FeatureCount
	case OpImage:
		return FeatureImages
	case OpModerate:
		return FeatureModeration
	case OpRerank:
		return FeatureRerank
	}
	return FeatureChat
}

// describe fills the envelope from a typed request.
func (e *Envelope) describe(q *Request) {
	e.Model, e.MaxTokens, e.Choices, e.WantsUsage = q.Model, q.MaxTokens, max(q.Choices, 1), true
	e.Needs = opFeature(q.Op)
	if e.Choices > 1 {
		e.Needs |= FeatureChoices
	}
	for i := range q.Tools {
		e.Needs |= FeatureTools
		e.Text += len(q.Tools[i].Name) + q.Tools[i].Description.Len() + len(q.Tools[i].Parameters) + len(q.Tools[i].Raw)
	}
	if q.Format.Type == "json_schema" {
		e.Needs |= FeatureJSONSchema
	}
	for i := range q.Messages {
		for j := range q.Messages[i].Parts {
			p := &q.Messages[i].Parts[j]
			e.Text += p.text.Len()
			e.Needs |= partFeature[min(p.Kind, PartOther)]
			if p.Call != nil {
				e.Text += len(p.Call.Name) + len(p.Call.Arguments.JSON())
			}
			if p.Result != nil {
				for _, r := range p.Result.Parts {
					e.Text += r.text.Len()
					e.Needs |= partFeature[min(r.Kind, PartOther)]
				}
			}
		}
	}
	for i := range q.Input {
		e.Text += q.Input[i].Content.Len() + bytesPerToken*len(q.Input[i].Tokens)
	}
}

var partFeature = [...]Features{PartImage: FeatureVision, PartAudio: FeatureAudio, PartFile: FeatureFiles, PartOther: 0}
