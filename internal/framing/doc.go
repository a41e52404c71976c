// SPDX-License-Identifier: AGPL-3.0-only

// Package framing splits a byte stream into frames, Server-Sent Events or
// newline-delimited JSON, without losing a byte: what is not understood can
// still be passed on as it came.
//
//	r := framing.NewSSE(resp.Body, 0)
//	for {
//		f, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err
//		}
//		w.Write(f.Raw)
//		if !r.More() {
//			w.Flush()
//		}
//	}
//
// The way the bytes are cut up by the network has no influence on what Event
// and Data say. It can move one line feed: a frame whose last CR is the last
// byte that has come is handed out at once, and if an LF follows, it opens the
// next Raw, or at the end of the stream is a frame without Data of its own.
package framing
