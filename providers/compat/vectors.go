// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

const encodingKey = "encoding_format"

// wantsBase64 reports that the caller reads the vectors of this body's answer as
// base64. A typed caller, or one of another dialect, gets them decoded anyway.
func wantsBase64(c *hoosh.Call) bool {
	if c.Dialect() != hoosh.OpenAI {
		return false
	}
	k, ok := c.Envelope().Key(encodingKey)
	if !ok {
		return false
	}
	cursor := jsonpeek.New(c.Body()[k.From:k.To])
	value, _ := cursor.Str()
	return jsonpeek.Equal(value, "base64")
}

// packVectors makes base64 of the numbers in an answer; one that has none stays
// as it came.
func packVectors(c *hoosh.Call, r *hoosh.Reply) (*hoosh.Reply, error) {
	// The wish is granted here, so it does not count as dropped.
	r.Dropped = slices.DeleteFunc(r.Dropped, func(key string) bool { return key == encodingKey })
	if !hasNumbers(r.Body) {
		return r, nil
	}
	resp, err := r.Response()
	if err == nil {
		r.Body, err = hoosh.OpenAI.EncodeResponse(c, resp)
	}
	if err != nil {
		e := hoosh.AsError(err)
		e.Op, e.Provider, e.Model = c.Op, r.Provider, c.Model
		return nil, e
	}
	r.Header = r.Header.Clone()
	r.Header.Del("Content-Length") // of the body that came
	return r, nil
}

// hasNumbers reports that the first vector of an answer is an array.
func hasNumbers(body []byte) bool {
	c := jsonpeek.New(body)
	if !c.Object() {
		return false
	}
	for c.Next() {
		if string(c.Key()) != "data" || !c.Array() {
			continue
		}
		if !c.Next() || !c.Object() {
			return false
		}
		for c.Next() {
			if string(c.Key()) == "embedding" {
				return c.Kind() == jsonpeek.Array
			}
		}
		return false
	}
	return false
}
