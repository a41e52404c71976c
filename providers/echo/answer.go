// SPDX-License-Identifier: AGPL-3.0-only

package echo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

// answer is what will be said, settled.
type answer struct {
	id        string
	pieces    []string // of the text, or of the arguments
	tool      string   // "": text
	callID    string
	arguments string
	finish    hoosh.Finish
	choices   int
	usage     hoosh.Usage
}

// maxChoices bounds how many answers a call gets.
const maxChoices = 16

func newAnswer(s *script, q *hoosh.Request) *answer {
	what, result := said(q)
	sum := sha256.Sum256([]byte(q.Model + "\x00" + what))
	a := &answer{id: "chatcmpl-echo" + hex.EncodeToString(sum[:8]), finish: hoosh.FinishStop, choices: min(max(q.Choices, 1), maxChoices)}
	if s.tool != "" && !result && q.Op == hoosh.OpChat {
		a.finish, a.tool, a.callID = hoosh.FinishToolCalls, s.tool, "call_"+hex.EncodeToString(sum[8:20])
		args, _ := json.Marshal(map[string]string{"text": what}) // cannot fail
		a.arguments = string(args)
		a.pieces = words(a.arguments)
	} else {
		verb := "you said: "
		if result {
			verb = "the tool said: "
		}
		a.pieces = words(text(s, label+verb+what))
		if q.MaxTokens > 0 && len(a.pieces) > q.MaxTokens {
			a.pieces, a.finish = a.pieces[:q.MaxTokens], hoosh.FinishLength
		}
	}
	a.usage = hoosh.Usage{Input: prompted(q), Output: int64(len(a.pieces) * a.choices), Source: hoosh.UsageReported}
	a.pieces = regroup(a.pieces, s.chunks)
	return a
}

// text has as many words as the script wants.
func text(s *script, said string) string {
	if s.words == 0 {
		return said
	}
	list := words(said)
	if len(list) > s.words {
		return strings.Join(list[:s.words], "")
	}
	var b strings.Builder
	b.WriteString(said)
	for n := len(list); n < s.words; n++ {
		b.WriteString(" echo")
	}
	return b.String()
}

// words cuts before each space, so that they join to what they were.
func words(s string) []string {
	var list []string
	from := 0
	for i := 1; i < len(s); i++ {
		if s[i] == ' ' && s[i-1] != ' ' {
			list = append(list, s[from:i])
			from = i
		}
	}
	return append(list, s[from:])
}

// regroup joins pieces to n of them, or cuts them down to letters if there are
// fewer; 0 leaves them.
func regroup(pieces []string, n int) []string {
	if n == 0 {
		return pieces
	}
	if len(pieces) < n {
		pieces = strings.Split(strings.Join(pieces, ""), "")
	}
	n = min(n, len(pieces))
	out := make([]string, n)
	for i := range out {
		out[i] = strings.Join(pieces[i*len(pieces)/n:(i+1)*len(pieces)/n], "")
	}
	return out
}

// prompted counts the words of a request.
func prompted(q *hoosh.Request) int64 {
	n := 0
	for _, m := range q.Messages {
		n += len(strings.Fields(m.Text())) + len(strings.Fields(resultText(m)))
	}
	for _, in := range q.Input {
		n += len(strings.Fields(in.Content.String())) + len(in.Tokens)
	}
	return int64(max(n, 1))
}

// message is one of the answers.
func (a *answer) message() hoosh.Message {
	if a.tool != "" {
		return hoosh.Assistant("", hoosh.CallPart(a.callID, a.tool, a.arguments))
	}
	return hoosh.Assistant(strings.Join(a.pieces, ""))
}

func (a *answer) response() *hoosh.Response {
	r := &hoosh.Response{ID: a.id, Usage: a.usage}
	for i := range a.choices {
		r.Choices = append(r.Choices, hoosh.Choice{Index: i, Message: a.message(), Finish: a.finish})
	}
	return r
}

// embeddings are vectors of length one, made of the inputs' hashes.
func embeddings(s *script, q *hoosh.Request) *hoosh.Response {
	size := s.size
	if q.Dimensions > 0 {
		size = min(q.Dimensions, maxSize)
	}
	r := &hoosh.Response{Usage: hoosh.Usage{Input: prompted(q), Source: hoosh.UsageReported}, Embeddings: [][]float32{}}
	for _, in := range q.Input {
		seed := []byte(in.Content.String())
		for _, t := range in.Tokens {
			seed = binary.LittleEndian.AppendUint64(seed, uint64(t))
		}
		r.Embeddings = append(r.Embeddings, vector(seed, size))
	}
	return r
}

func vector(seed []byte, size int) []float32 {
	v := make([]float32, size)
	sum := sha256.Sum256(seed)
	block := sum[:]
	norm := 0.0
	for i := range v {
		if len(block) < 4 {
			sum = sha256.Sum256(sum[:])
			block = sum[:]
		}
		x := float64(binary.LittleEndian.Uint32(block))/math.MaxUint32*2 - 1
		block = block[4:]
		v[i] = float32(x)
		norm += x * x
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(norm))
	}
	return slices.Clip(v)
}
