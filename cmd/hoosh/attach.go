// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/maccracken/hoosh"
)

// maxImage bounds an image; vendors take no larger ones.
const maxImage = 20 << 20

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("larger than %s", hoosh.Size(limit))
	}
	return data, err
}

// imageURL makes a URL of what --image says: a URL as it is, a file as a data
// URL.
func imageURL(ref string) (string, error) {
	for _, scheme := range []string{"http://", "https://", "data:"} {
		if strings.HasPrefix(ref, scheme) {
			return ref, nil
		}
	}
	data, err := readFile(ref, maxImage)
	if err != nil {
		return "", fileProblem("image", ref, err)
	}
	kind := http.DetectContentType(data)
	if !strings.HasPrefix(kind, "image/") {
		return "", usagef("image %s: want an image such as PNG, JPEG, GIF or WebP; this looks like %s", ref, kind)
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data), nil
}

// maxSchema bounds a schema.
const maxSchema = 1 << 20

// schemaFormat is the format of an answer that follows the schema in a file.
func schemaFormat(path string) (hoosh.Format, error) {
	data, err := readFile(path, maxSchema)
	if err != nil {
		return hoosh.Format{}, fileProblem("schema", path, err)
	}
	var head struct {
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return hoosh.Format{}, usagef("schema %s: want a JSON Schema, which is a JSON object: %v", path, err)
	}
	name := head.Title
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	return hoosh.Format{Type: "json_schema", Name: schemaName(name), Description: head.Description, Schema: data}, nil
}

// schemaName is a name as OpenAI allows it: letters, digits, _ and -, at most 64.
func schemaName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, name)
	if name == "" {
		name = "answer"
	}
	return name[:min(len(name), 64)]
}
