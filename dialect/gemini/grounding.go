// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"strconv"
	"unicode/utf8"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Sources of an answer. Google counts where a text has them from in bytes.

// maxCitations bounds those of one answer.
const maxCitations = 4096

// grounding is what a candidate says of its sources.
type grounding struct {
	chunks   []hoosh.Citation // sources, without a place
	supports []support
}

// support is a piece of the answer with its sources.
type support struct {
	start, end int // bytes
	text       string
	chunks     []int
}

// read reads the groundingMetadata at hand.
func (g *grounding) read(c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	from := len(g.chunks)
	for c.Next() {
		switch string(c.Key()) {
		case "groundingChunks":
			if c.Array() {
				for c.Next() {
					g.chunk(c)
				}
			}
		case "groundingSupports":
			if c.Array() {
				for c.Next() {
					g.support(c, from)
				}
			}
		}
	}
}

// chunk reads a source: a page, a document or a place.
func (g *grounding) chunk(c *jsonpeek.Cursor) {
	raw := *c
	cite := hoosh.Citation{Raw: raw.Value()}
	if c.Object() {
		for c.Next() {
			if !c.Object() {
				continue
			}
			for c.Next() {
				switch string(c.Key()) {
				case "uri":
					cite.URL = str(c)
				case "title":
					cite.Title = str(c)
				case "text":
					cite.Quote = str(c)
				}
			}
		}
	}
	if len(g.chunks) < maxCitations {
		g.chunks = append(g.chunks, cite)
	}
}

func (g *grounding) support(c *jsonpeek.Cursor, from int) {
	if !c.Object() {
		return
	}
	var s support
	for c.Next() {
		switch string(c.Key()) {
		case "segment":
			if c.Object() {
				for c.Next() {
					switch string(c.Key()) {
					case "startIndex":
						s.start = offset(c)
					case "endIndex":
						s.end = offset(c)
					case "text":
						s.text = str(c)
					}
				}
			}
		case "groundingChunkIndices":
			if c.Array() {
				for c.Next() {
					s.chunks = append(s.chunks, from+offset(c))
				}
			}
		}
	}
	if len(g.supports) < maxCitations {
		g.supports = append(g.supports, s)
	}
}

func offset(c *jsonpeek.Cursor) int {
	n, _ := c.Int()
	return int(min(max(n, 0), 1<<30))
}

// readCitations reads the citationMetadata at hand: texts that the answer repeats.
func (g *grounding) readCitations(c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	for c.Next() {
		if key := string(c.Key()); key != "citationSources" && key != "citations" || !c.Array() {
			continue
		}
		for c.Next() {
			raw := *c
			cite := hoosh.Citation{Raw: raw.Value()}
			s := support{chunks: []int{len(g.chunks)}}
			if c.Object() {
				for c.Next() {
					switch string(c.Key()) {
					case "uri":
						cite.URL = str(c)
					case "title":
						cite.Title = str(c)
					case "startIndex":
						s.start = offset(c)
					case "endIndex":
						s.end = offset(c)
					}
				}
			}
			if len(g.chunks) < maxCitations && len(g.supports) < maxCitations {
				g.chunks, g.supports = append(g.chunks, cite), append(g.supports, s)
			}
		}
	}
}

// attach puts the sources on the texts that have them.
func (g *grounding) attach(parts []hoosh.Part) {
	if len(g.chunks) == 0 {
		return
	}
	var texts []*hoosh.Part
	for i := range parts {
		if parts[i].Kind == hoosh.PartText {
			texts = append(texts, &parts[i])
		}
	}
	if len(texts) == 0 {
		return
	}
	n := 0
	used := make([]bool, len(g.chunks))
	for i := range g.supports {
		s := &g.supports[i]
		p, start, end := s.find(texts)
		for _, k := range s.chunks {
			if k >= len(g.chunks) || n == maxCitations {
				continue
			}
			used[k] = true
			n++
			cite := g.chunks[k]
			cite.Start, cite.End = start, end
			p.Citations = append(p.Citations, cite)
		}
	}
	last := texts[len(texts)-1]
	for k := range g.chunks {
		if !used[k] && n < maxCitations {
			n++
			last.Citations = append(last.Citations, g.chunks[k])
		}
	}
}

// find gives the text that has the piece, and where in it that stands in characters;
// both are 0 where what is said does not fit.
func (s *support) find(texts []*hoosh.Part) (p *hoosh.Part, start, end int) {
	for _, p := range texts {
		text := p.Text()
		if s.start < s.end && s.end <= len(text) && (s.text == "" || text[s.start:s.end] == s.text) {
			start = utf8.RuneCountInString(text[:s.start])
			return p, start, start + utf8.RuneCountInString(text[s.start:s.end])
		}
	}
	return texts[len(texts)-1], 0, 0
}

// grounding writes the sources of a choice.
func (w *answerWriter) grounding(ch *hoosh.Choice) {
	for i := range ch.Message.Parts {
		if p := &ch.Message.Parts[i]; len(p.Citations) > 0 {
			w.b = appendGrounding(append(w.b, ','), p.Citations, p.Text())
			return
		}
	}
}

// appendGrounding writes a groundingMetadata: each source once, and the pieces of the
// text that have them.
func appendGrounding(dst []byte, list []hoosh.Citation, text string) []byte {
	list = list[:min(len(list), maxCitations)]
	number := map[[2]string]int{}
	dst = append(dst, `"groundingMetadata":{"groundingChunks":[`...)
	for i := range list {
		key := [2]string{list[i].URL, list[i].Title}
		if _, again := number[key]; again {
			continue
		}
		if number[key] = len(number); number[key] > 0 {
			dst = append(dst, ',')
		}
		dst = jsonpeek.AppendQuote(append(dst, `{"web":{"uri":`...), list[i].URL)
		dst = append(jsonpeek.AppendQuote(append(dst, `,"title":`...), list[i].Title), "}}"...)
	}
	dst = append(dst, `],"groundingSupports":[`...)
	n := 0
	for i := range list {
		start, end := byteOffset(text, list[i].Start), byteOffset(text, list[i].End)
		if start >= end {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"segment":{"startIndex":`...), int64(start), 10)
		dst = strconv.AppendInt(append(dst, `,"endIndex":`...), int64(end), 10)
		dst = jsonpeek.AppendQuote(append(dst, `,"text":`...), text[start:end])
		dst = strconv.AppendInt(append(dst, `},"groundingChunkIndices":[`...), int64(number[[2]string{list[i].URL, list[i].Title}]), 10)
		dst = append(dst, "]}"...)
	}
	return append(dst, "]}"...)
}

// byteOffset is where in text the n-th character begins.
func byteOffset(text string, n int) int {
	if n <= 0 {
		return 0
	}
	for i := range text {
		if n--; n < 0 {
			return i
		}
	}
	return len(text)
}
