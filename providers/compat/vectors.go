// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

const encodingKey = "encoding_format"

// asWanted gives vectors the encoding that the caller asked for: numbers are
// packed into base64 where that was the wish, and an answer that needs nothing
// stays as it came. A caller whose body is not OpenAI's gets vectors decoded, so
// that no wish of his was dropped either.
func asWanted(c *hoosh.Call, r *hoosh.Reply) (*hoosh.Reply, error) {
	own := c.Dialect() == hoosh.OpenAI
	if own && !wantsBase64(c) {
		return r, nil
	}
	r.Dropped = slices.DeleteFunc(r.Dropped, func(key string) bool { return key == encodingKey })
	if !own || !hasNumbers(r.Body) {
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

func wantsBase64(c *hoosh.Call) bool {
	k, ok := c.Envelope().Key(encodingKey)
	if !ok {
		return false
	}
	cursor := jsonpeek.New(c.Body()[k.From:k.To])
	value, _ := cursor.Str()
	return jsonpeek.Equal(value, "base64")
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
