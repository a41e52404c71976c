// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Images and documents, for a request.

// imageTypes are what Anthropic can see.
var imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

func (w *writer) image(i, j int, p *hoosh.Part) {
	m := p.Media
	if m == nil {
		w.fail(hoosh.ErrInvalidRequest, place(i, j), "the part has no media")
		return
	}
	if m.Detail != "" && m.Detail != "auto" {
		w.drop("detail")
	}
	w.begin("user")
	w.b = append(w.b, `{"type":"image","source":`...)
	if m.Data.IsEmpty() {
		w.elsewhere(i, j, m)
	} else {
		kind := m.Type
		if kind == "image/jpg" {
			kind = "image/jpeg"
		} else if kind == "" {
			kind = sniff(m.Data)
		}
		if !slices.Contains(imageTypes, kind) {
			w.fail(hoosh.ErrUnsupported, place(i, j), fmt.Sprintf("an image of type %q; Anthropic takes JPEG, PNG, GIF and WebP", kind))
		}
		w.base64(kind, m.Data)
	}
	w.extra(p.Extra, "type", "source")
	w.b = append(w.b, '}')
}

func (w *writer) base64(kind string, data hoosh.Text) {
	w.b = append(w.b, `{"type":"base64","media_type":`...)
	w.b = jsonpeek.AppendQuote(w.b, kind)
	w.key("data")
	w.b = append(data.AppendJSON(w.b), '}')
}

// elsewhere writes the source of media that are not in the request.
func (w *writer) elsewhere(i, j int, m *hoosh.Media) {
	switch url := m.URL.String(); {
	case m.ID != "" && m.URL.IsEmpty():
		if !w.extras {
			w.fail(hoosh.ErrUnsupported, place(i, j), "a file's id is known only where it was uploaded; want its data or URL")
		}
		w.b = jsonpeek.AppendQuote(append(w.b, `{"type":"file","file_id":`...), m.ID)
	case strings.HasPrefix(url, "https://"), strings.HasPrefix(url, "http://"):
		w.b = m.URL.AppendJSON(append(w.b, `{"type":"url","url":`...))
	default:
		w.fail(hoosh.ErrUnsupported, place(i, j), "want data in base64, or an https URL")
		w.b = append(w.b, '{')
	}
	w.b = append(w.b, '}')
}

// document writes a file: a PDF, or text, which Anthropic takes as it is.
func (w *writer) document(i, j int, p *hoosh.Part) {
	m := p.Media
	if m == nil {
		w.fail(hoosh.ErrInvalidRequest, place(i, j), "the part has no media")
		return
	}
	w.begin("user")
	w.b = append(w.b, `{"type":"document","source":`...)
	kind, _, _ := strings.Cut(m.Type, ";")
	if kind == "" && !m.Data.IsEmpty() {
		kind = sniff(m.Data)
	}
	switch {
	case m.Data.IsEmpty():
		w.elsewhere(i, j, m)
	case kind == "application/pdf":
		w.base64(kind, m.Data)
	case strings.HasPrefix(kind, "text/"), kind == "application/json", kind == "application/xml":
		text, err := base64.StdEncoding.DecodeString(m.Data.String())
		if err != nil {
			w.fail(hoosh.ErrInvalidRequest, place(i, j), "the file's data are not valid base64")
		}
		w.b = append(w.b, `{"type":"text","media_type":"text/plain","data":`...)
		w.b = append(jsonpeek.AppendQuote(w.b, string(text)), '}')
	default:
		w.fail(hoosh.ErrUnsupported, place(i, j), fmt.Sprintf("a file of type %q; Anthropic takes PDF and text", m.Type))
	}
	if m.Name != "" {
		w.key("title")
		w.b = jsonpeek.AppendQuote(w.b, m.Name)
	}
	w.extra(p.Extra, "type", "source", "title")
	w.b = append(w.b, '}')
}

// sniff tells the type of media by the beginning of their base64, "" when it is
// none of those that Anthropic takes.
func sniff(data hoosh.Text) string {
	head := data.String()
	head = head[:min(len(head), 16)]
	for _, t := range [...]struct{ start, kind string }{
		{"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"}, {"JVBERi0", "application/pdf"},
	} {
		if strings.HasPrefix(head, t.start) {
			return t.kind
		}
	}
	return ""
}
