// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// op is which part of the API a path is.
type op int

const (
	opOther op = iota
	opChat
	opCompletion
	opEmbedding
	opModels
)

// opOf knows paths with and without /v1: some clients leave it out.
func opOf(path string) op {
	switch path = strings.TrimPrefix(path, "/v1"); {
	case path == "/chat/completions":
		return opChat
	case path == "/completions":
		return opCompletion
	case path == "/embeddings":
		return opEmbedding
	case path == "/models", strings.HasPrefix(path, "/models/"):
		return opModels
	}
	return opOther
}

// known are the top-level keys that each operation has.
var known = map[op][]string{
	opChat: strings.Fields(`audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens
		max_tokens messages metadata modalities model moderation n parallel_tool_calls prediction presence_penalty
		prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format
		safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
		top_logprobs top_p user verbosity web_search_options`),
	opCompletion: strings.Fields(`best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty
		prompt seed stop stream stream_options suffix temperature top_p user`),
	opEmbedding: strings.Fields(`dimensions encoding_format input model user`),
}

// refuse is the error that the API has for q, or nil.
func (b *Backend) refuse(q *Request) *Answer {
	if q.Cut {
		return refusal(http.StatusRequestEntityTooLarge, "", "", "The request body is too large.")
	}
	if b.set.key != "" && q.Header.Get("Authorization") != "Bearer "+b.set.key {
		return refusal(http.StatusUnauthorized, "", "invalid_api_key", "Incorrect API key provided.")
	}
	what := opOf(q.Path)
	if q.Method != http.MethodPost || what == opOther || what == opModels {
		return nil
	}
	if b.set.strict {
		if a := strict(q, what); a != nil {
			return a
		}
	}
	switch f := &q.fields; {
	case f.bad != nil:
		return refusal(http.StatusBadRequest, "", "", "We could not parse the JSON body of your request: "+f.bad.Error())
	case q.Model == "":
		return refusal(http.StatusBadRequest, "model", "", "you must provide a model parameter")
	case !b.knows(q.Model):
		return noModel(q.Model)
	case what == opChat && len(f.Messages) == 0:
		return refusal(http.StatusBadRequest, "messages", "", "Missing required parameter: 'messages'.")
	case what == opCompletion && len(f.Prompt) == 0:
		return refusal(http.StatusBadRequest, "prompt", "", "Missing required parameter: 'prompt'.")
	case what == opEmbedding && len(inputsOf(f.Input)) == 0:
		return refusal(http.StatusBadRequest, "input", "", "Missing required parameter: 'input'.")
	}
	return nil
}

func (b *Backend) knows(model string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.models == nil || slices.Contains(b.models, model)
}

// strict looks at the keys of q's body.
func strict(q *Request, what op) *Answer {
	keys, err := topKeys(q.Body)
	if err != nil {
		return nil // the next check says it better
	}
	for i, key := range keys {
		if !slices.Contains(known[what], key) {
			return refusal(http.StatusBadRequest, key, "unknown_parameter", fmt.Sprintf("Unknown parameter: '%s'.", key))
		}
		if slices.Contains(keys[:i], key) {
			return refusal(http.StatusBadRequest, key, "duplicate_parameter", fmt.Sprintf("Duplicate parameter: '%s'.", key))
		}
	}
	if slices.Contains(keys, "stream_options") && !q.Stream {
		return refusal(http.StatusBadRequest, "stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	return nil
}

// topKeys are the keys of a JSON object, in order and with repetitions.
func topKeys(body []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(err, errors.New("no object"))
	}
	var keys []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		keys = append(keys, t.(string))
	}
	return keys, nil
}

func noModel(model string) *Answer {
	return refusal(http.StatusNotFound, "model", "model_not_found", fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model))
}

// refusal is an error in OpenAI's shape.
func refusal(status int, param, code, message string) *Answer {
	return &Answer{Status: status, Body: errorJSON(typeOf(status), param, code, message)}
}

func errorJSON(kind, param, code, message string) []byte {
	null := func(s string) string {
		if s == "" {
			return "null"
		}
		return quote(s)
	}
	return fmt.Appendf(nil, `{"error":{"message":%s,"type":%s,"param":%s,"code":%s}}`, quote(message), quote(kind), null(param), null(code))
}

func typeOf(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "requests"
	case status >= 500:
		return "server_error"
	}
	return "invalid_request_error"
}

// errorBody is the error of a bare status; message may be "".
func errorBody(status int, message string) []byte {
	code := ""
	switch status {
	case http.StatusUnauthorized:
		code = "invalid_api_key"
	case http.StatusNotFound:
		code = "model_not_found"
	case http.StatusTooManyRequests:
		code = "rate_limit_exceeded"
	}
	if message == "" {
		message = http.StatusText(status)
	}
	return errorJSON(typeOf(status), "", code, message)
}

func errorEvent() []byte {
	return fmt.Appendf(nil, "data: %s\n\n", errorJSON("server_error", "", "", "The server had an error while processing your request."))
}

// whole is the body of an answer that is no stream and has no bytes of its own.
// It may change the status: not every path means something.
func (b *Backend) whole(q *Request, a *Answer, p *plan) []byte {
	what := opOf(q.Path)
	switch {
	case q.Method != http.MethodPost && what == opModels:
		return b.listing(q, p)
	case q.Method == http.MethodPost && (what == opChat || what == opCompletion):
		return newReply(q, a).body()
	case q.Method == http.MethodPost && what == opEmbedding:
		return embeddings(q, a)
	}
	p.status = http.StatusNotFound
	return errorJSON(typeOf(p.status), "", "unknown_url", "Unknown request URL: "+q.Method+" "+q.Path)
}

// listing answers /models and /models/ID.
func (b *Backend) listing(q *Request, p *plan) []byte {
	b.mu.Lock()
	models := b.models
	b.mu.Unlock()
	if models == nil {
		models = []string{"test-model"}
	}
	entry := func(id string) string {
		return fmt.Sprintf(`{"id":%s,"object":"model","created":%d,"owned_by":"hooshtest"}`, quote(id), created)
	}
	if _, id, one := strings.Cut(q.Path, "/models/"); one {
		if !b.knows(id) {
			p.status = http.StatusNotFound
			return noModel(id).Body
		}
		return []byte(entry(id))
	}
	list := make([]string, len(models))
	for i, id := range models {
		list[i] = entry(id)
	}
	return fmt.Appendf(nil, `{"object":"list","data":[%s]}`, strings.Join(list, ","))
}
