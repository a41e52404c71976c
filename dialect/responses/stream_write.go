// SPDX-License-Identifier: AGPL-3.0-only

package responses

import "github.com/maccracken/hoosh/internal/jsonpeek"

// eventWriter writes the events of a stream and numbers them.
type eventWriter struct {
	b   []byte
	seq int64
	ref ref
}

// ref is what the events are about.
type ref struct {
	id     []byte // of the item
	output int64  // index of the item
	part   int64  // of the content, or of the summary
}

// open begins an event.
func (w *eventWriter) open(name string) {
	w.b = append(append(w.b, "event: "...), name...)
	w.b = append(append(w.b, "\ndata: {\"type\":\""...), name...)
	w.b = append(w.b, '"')
}

// close ends it.
func (w *eventWriter) close() {
	w.b = appendInt(append(w.b, `,"sequence_number":`...), w.seq)
	w.b = append(w.b, "}\n\n"...)
	w.seq++
}

// at says which item, and with a part's name which of its parts, the event is
// about.
func (w *eventWriter) at(part string) {
	w.b = append(append(w.b, `,"item_id":"`...), w.ref.id...)
	w.b = appendInt(append(w.b, `","output_index":`...), w.ref.output)
	if part != "" {
		w.b = append(append(append(w.b, `,"`...), part...), `":`...)
		w.b = appendInt(w.b, w.ref.part)
	}
}

// member adds JSON.
func (w *eventWriter) member(name string, value []byte) {
	w.b = append(append(append(w.b, `,"`...), name...), `":`...)
	w.b = append(w.b, value...)
}

// text adds what is between quotes.
func (w *eventWriter) text(name string, raw []byte) {
	w.b = append(append(append(w.b, `,"`...), name...), `":"`...)
	w.b = append(append(w.b, raw...), '"')
}

// begin tells that the answer has begun.
func (w *eventWriter) begin(o *object) {
	o.status = "in_progress"
	for _, name := range []string{"response.created", "response.in_progress"} {
		w.open(name)
		w.b = o.append(append(w.b, `,"response":`...))
		w.close()
	}
}

func (w *eventWriter) itemBegin(item []byte) { w.item("response.output_item.added", item) }
func (w *eventWriter) itemEnd(item []byte)   { w.item("response.output_item.done", item) }

func (w *eventWriter) item(name string, item []byte) {
	w.open(name)
	w.b = appendInt(append(w.b, `,"output_index":`...), w.ref.output)
	w.member("item", item)
	w.close()
}

// textBegin begins a part of a message; annotations are nil of a refusal.
func (w *eventWriter) textBegin(annotations []byte) {
	w.open("response.content_part.added")
	w.at("content_index")
	w.member("part", appendTextPart(nil, nil, annotations))
	w.close()
}

func (w *eventWriter) textEnd(text, annotations []byte) {
	if annotations == nil {
		w.open("response.refusal.done")
		w.at("content_index")
		w.text("refusal", text)
	} else {
		w.open("response.output_text.done")
		w.at("content_index")
		w.text("text", text)
		w.member("logprobs", []byte("[]"))
	}
	w.close()
	w.open("response.content_part.done")
	w.at("content_index")
	w.member("part", appendTextPart(nil, text, annotations))
	w.close()
}

func (w *eventWriter) summaryBegin() {
	w.open("response.reasoning_summary_part.added")
	w.at("summary_index")
	w.member("part", []byte(`{"type":"summary_text","text":""}`))
	w.close()
}

func (w *eventWriter) summaryEnd(text []byte) {
	w.open("response.reasoning_summary_text.done")
	w.at("summary_index")
	w.text("text", text)
	w.close()
	w.open("response.reasoning_summary_part.done")
	w.at("summary_index")
	w.b = append(w.b, `,"part":{"type":"summary_text"`...)
	w.text("text", text)
	w.b = append(w.b, '}')
	w.close()
}

// argumentsEnd ends those of a call; quoted is a JSON string.
func (w *eventWriter) argumentsEnd(t *origin, quoted []byte) {
	if t.custom {
		w.open("response.custom_tool_call_input.done")
		w.at("")
		w.member("input", quoted)
		w.close()
		return
	}
	w.open("response.function_call_arguments.done")
	w.at("")
	w.b = append(w.b, `,"name":`...)
	w.b = jsonpeek.AppendQuote(w.b, t.name)
	w.member("arguments", quoted)
	w.close()
}

// end tells that the answer has ended.
func (w *eventWriter) end(o *object) {
	w.open("response." + o.status)
	w.b = o.append(append(w.b, `,"response":`...))
	w.close()
}
