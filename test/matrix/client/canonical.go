// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"bytes"
	"encoding/json"
)

// Canonical is a JSON value with its keys in the order in which they came, its
// numbers as they were written, its strings decoded and quoted anew, and no white
// space: two texts that say the same have one. Of what is no JSON it is the text
// itself.
func Canonical(raw string) string { return string(canonical([]byte(raw))) }

func canonical(raw []byte) []byte {
	if wellFormed(raw) != nil {
		return raw
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	out, err := rewrite(nil, dec)
	if err != nil {
		return raw
	}
	return out
}

func rewrite(dst []byte, dec *json.Decoder) ([]byte, error) {
	t, err := dec.Token()
	if err != nil {
		return dst, err
	}
	switch t {
	case json.Delim('{'), json.Delim('['):
		dst = append(dst, byte(t.(json.Delim)))
		for i := 0; dec.More(); i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			if t == json.Delim('{') {
				k, err := dec.Token()
				if err != nil {
					return dst, err
				}
				dst = append(append(dst, encode(k)...), ':')
			}
			if dst, err = rewrite(dst, dec); err != nil {
				return dst, err
			}
		}
		end, err := dec.Token()
		if err != nil {
			return dst, err
		}
		return append(dst, byte(end.(json.Delim))), nil
	}
	return append(dst, encode(t)...), nil
}
