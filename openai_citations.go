// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"unicode/utf8"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Citations as OpenAI has them: annotations of a message, or of a delta.

// readAnnotation reads the annotation at hand; one that is not of a URL has only
// its Raw.
func readAnnotation(c *jsonpeek.Cursor) Citation {
	at := *c
	cite := Citation{Raw: at.Value()}
	if !c.Object() {
		return cite
	}
	for c.Next() {
		if string(c.Key()) != "url_citation" || !c.Object() {
			continue
		}
		for c.Next() {
			switch string(c.Key()) {
			case "url":
				raw, _ := c.Str()
				cite.URL = jsonpeek.Unquote(raw)
			case "title":
				raw, _ := c.Str()
				cite.Title = jsonpeek.Unquote(raw)
			case "start_index":
				cite.Start = index(c)
			case "end_index":
				cite.End = index(c)
			}
		}
	}
	return cite
}

// index reads a place in a text.
func index(c *jsonpeek.Cursor) int {
	n, _ := c.Int()
	return int(min(max(n, 0), maxFigure))
}

// sources reads the annotations of a message, at most maxCitations, and reports
// that there are any.
func (r *openAIReader) sources(x *openAIMessage, annotations []byte) bool {
	c := jsonpeek.NewDepth(annotations, jsonpeek.MaxDepth)
	if !c.Array() {
		return false
	}
	for c.Next() {
		if len(x.sources) < maxCitations {
			x.sources = append(x.sources, readAnnotation(&c))
		}
	}
	return x.sources != nil
}

// maxCitations bounds those of one text.
const maxCitations = 4096

// appendAnnotation writes a citation of a URL. The places in it are moved by
// offset characters. What is no URL OpenAI has no form for.
func appendAnnotation(dst []byte, c *Citation, offset int) []byte {
	dst = append(dst, `{"type":"url_citation","url_citation":{"url":`...)
	dst = append(jsonpeek.AppendQuote(dst, c.URL), `,"title":`...)
	dst = append(jsonpeek.AppendQuote(dst, c.Title), `,"start_index":`...)
	dst = append(appendInt(dst, int64(c.Start+offset)), `,"end_index":`...)
	return append(appendInt(dst, int64(c.End+offset)), "}}"...)
}

// annotations writes the citations of all text.
func (w *openAIWriter) annotations(parts []Part) {
	offset, begun := 0, false
	for i := range parts {
		p := &parts[i]
		if p.Kind != PartText {
			continue
		}
		for j := range p.Citations {
			if p.Citations[j].URL == "" {
				continue
			}
			if !begun {
				begun = true
				w.key("annotations")
				w.open('[')
			}
			w.comma()
			w.b = appendAnnotation(w.b, &p.Citations[j], offset)
		}
		if i+1 < len(parts) {
			offset += utf8.RuneCountInString(p.Text())
		}
	}
	if begun {
		w.close(']')
	}
}
