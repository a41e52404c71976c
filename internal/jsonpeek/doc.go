// SPDX-License-Identifier: AGPL-3.0-only

// Package jsonpeek reads JSON in place: a [Cursor] walks one document in a
// byte slice, checks every byte it passes, decodes nothing that is not asked
// for and allocates nothing.
//
// It accepts what encoding/json accepts, save for documents nested deeper than
// its limit. Strings and keys are handed out as they stand between their
// quotes, so a span of one document can be copied into another without being
// unescaped and escaped again; [Unquote], [Equal] and [AppendQuote] are for
// the few that must be understood or made.
//
//	c := jsonpeek.New(body)
//	if c.Object() {
//		for c.Next() {
//			switch string(c.Key()) {
//			case "model":
//				model, _ = c.Str()
//			case "stream":
//				stream, _ = c.Bool()
//			}
//		}
//	}
//	if err := c.End(); err != nil {
//		return err
//	}
//
// A value nobody consumes is skipped, and thereby checked, by the next step.
// What Next says is only "no more": whether the document was at fault is what
// Err and End tell, and a document is known to be valid only once End is nil.
package jsonpeek
