// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"path"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Images, sounds and files, both ways.

// partKind is the kind of part that media of a type are.
func partKind(mediaType []byte) hoosh.PartKind {
	head := strings.ToLower(string(mediaType[:min(len(mediaType), 6)]))
	switch {
	case head == "image/":
		return hoosh.PartImage
	case head == "audio/":
		return hoosh.PartAudio
	}
	return hoosh.PartFile
}

// typesByName are those of the usual endings.
var typesByName = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif", ".heic": "image/heic", ".heif": "image/heif",
	".wav": "audio/wav", ".mp3": "audio/mpeg", ".aac": "audio/aac", ".ogg": "audio/ogg", ".flac": "audio/flac", ".aiff": "audio/aiff", ".m4a": "audio/mp4",
	".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".html": "text/html", ".csv": "text/csv", ".json": "application/json", ".xml": "text/xml",
	".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".mpeg": "video/mpeg",
}

// typeByName guesses the media type of a file's name or URL by its ending.
func typeByName(name string) string {
	if i := strings.IndexAny(name, "?#"); i >= 0 {
		name = name[:i]
	}
	return typesByName[strings.ToLower(path.Ext(name))]
}

// sniff tells the type of media by the beginning of their base64, "" when it is
// not known.
func sniff(data hoosh.Text) string {
	head := data.String()
	for _, t := range [...]struct{ start, kind string }{
		{"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"JVBERi0", "application/pdf"}, {"SUQz", "audio/mpeg"}, {"ZkxhQ", "audio/flac"}, {"T2dnU", "audio/ogg"},
	} {
		if strings.HasPrefix(head, t.start) {
			return t.kind
		}
	}
	if len(head) > 15 && strings.HasPrefix(head, "UklGR") {
		switch head[11:15] {
		case "V0VC", "dFQl":
			return "image/webp"
		}
	}
	return ""
}

// formats are OpenAI's words for kinds of sound that are not their media types.
var formats = map[string]string{"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/l16": "pcm16"}

// formatOf is that word.
func formatOf(mediaType string) string {
	kind, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	if f := formats[kind]; f != "" {
		return f
	}
	return strings.TrimPrefix(kind, "audio/")
}

// media reads the inlineData or fileData at hand.
func (r *reader) media(inline bool) (p hoosh.Part, ok bool) {
	at := r.C.Pos()
	m := &hoosh.Media{}
	ok = r.object("an object", func(name string) {
		switch {
		case name == "mimeType":
			m.Type = r.Str("a string")
		case name == "data" && inline:
			m.Data, _ = r.Text("a string")
		case name == "fileUri" && !inline:
			m.URL, _ = r.Text("a string")
		case name == "displayName":
			m.Name = r.Str("a string")
		}
	})
	switch {
	case !ok:
		return p, false
	case inline && m.Data.IsEmpty():
		r.Fail(at, "want data in base64")
		return p, false
	case !inline && m.URL.IsEmpty():
		r.Fail(at, "want a fileUri")
		return p, false
	case inline && m.Type == "":
		r.Fail(at, "want a mimeType")
		return p, false
	}
	kind := m.Type
	if kind == "" {
		kind = typeByName(m.URL.String())
	}
	p.Kind, p.Media = partKind([]byte(kind)), m
	if p.Kind == hoosh.PartAudio {
		m.Format = formatOf(kind)
	}
	return p, true
}

// media writes an image, a sound or a file, whose path is where, but for the end of
// the part.
func (w *writer) media(p *hoosh.Part, where string) {
	m := p.Media
	if m == nil {
		w.fail(hoosh.ErrInvalidRequest, where, "the part has no media")
		return
	}
	if m.Detail != "" && m.Detail != "auto" {
		w.drop("detail")
	}
	kind := m.Type
	if kind == "" && m.Format != "" {
		if kind = "audio/" + m.Format; m.Format == "mp3" {
			kind = "audio/mpeg"
		}
	}
	if kind == "image/jpg" {
		kind = "image/jpeg"
	}
	switch {
	case !m.Data.IsEmpty():
		if kind == "" {
			kind = sniff(m.Data)
		}
		if kind == "" {
			kind = typeByName(m.Name)
		}
		if kind == "" {
			w.fail(hoosh.ErrInvalidRequest, where, "want the media type of the data, image/png for one")
		}
		w.b = append(w.b, `{"inlineData":{"mimeType":`...)
		w.b = jsonpeek.AppendQuote(w.b, kind)
		w.key("data")
		w.b = m.Data.AppendJSON(w.b)
	case !m.URL.IsEmpty():
		w.b = append(w.b, `{"fileData":{"fileUri":`...)
		w.b = m.URL.AppendJSON(w.b)
		if kind == "" && !w.extras { // a client of this format has left it out on purpose
			kind = w.typeOfURL(p, m.URL.String(), where)
		}
		if kind != "" {
			w.key("mimeType")
			w.b = jsonpeek.AppendQuote(w.b, kind)
		}
	default:
		w.fail(hoosh.ErrUnsupported, where, "a file's id is known only where it was uploaded; want its data in base64, or a URL")
		w.b = append(w.b, `{"fileData":{`...)
	}
	if m.Name != "" && w.extras { // Google's own API knows it of results only
		w.key("displayName")
		w.b = jsonpeek.AppendQuote(w.b, m.Name)
	}
	w.b = append(w.b, '}')
}

// typeOfURL guesses the type of what is at a URL: by its ending, or for an image
// the usual one. A data URL that is not base64 is refused.
func (w *writer) typeOfURL(p *hoosh.Part, url, where string) string {
	switch scheme, _, _ := strings.Cut(url, ":"); scheme {
	case "https", "http", "gs":
	default:
		w.fail(hoosh.ErrUnsupported, where, "want data in base64, or an https URL")
	}
	if kind := typeByName(url); kind != "" {
		return kind
	}
	switch p.Kind {
	case hoosh.PartImage:
		return "image/jpeg"
	case hoosh.PartAudio:
		return "audio/mpeg"
	}
	return ""
}
