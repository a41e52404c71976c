// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/base64"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/maccracken/hoosh/test/clients/go/check"
)

// Checks of the Responses API.

func respond(model, prompt string) responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: model, Instructions: openai.String("Be brief."), Store: openai.Bool(false),
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(prompt)},
	}
}

func (s *session) response(model string) {
	r := check.Must(s.Responses.New(s.ctx, respond(model, "Hello")))
	check.Same("text", r.OutputText(), check.Text)
	check.Same("status", r.Status, responses.ResponseStatusCompleted)
	u := r.Usage
	check.Same("usage", []int64{u.InputTokens, u.InputTokensDetails.CachedTokens, u.OutputTokens, u.TotalTokens}, []int64{11, 3, 5, 16})
}

func (s *session) responseStream(model string) {
	st := s.Responses.NewStreaming(s.ctx, respond(model, "Hello"))
	defer st.Close()
	text, last := "", responses.ResponseStreamEventUnion{}
	for st.Next() {
		if last = st.Current(); last.Type == "response.output_text.delta" {
			text += last.Delta
		}
	}
	check.Same("error", st.Err(), nil)
	check.Same("text", text, check.Text)
	check.Same("last event", last.Type, "response.completed")
	check.Same("text of the whole", last.Response.OutputText(), check.Text)
}

func (s *session) responseTools(model string) {
	p := respond(model, "")
	p.Tools = []responses.ToolUnionParam{responses.ToolParamOfFunction("get_weather", check.Schema, true)}
	items := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage("How is it in both?", responses.EasyInputMessageRoleUser)}
	p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: items}
	var ids, arguments []string
	for _, item := range check.Must(s.Responses.New(s.ctx, p)).Output {
		if call, ok := item.AsAny().(responses.ResponseFunctionToolCall); ok {
			ids, arguments = append(ids, call.CallID), append(arguments, call.Arguments)
			items = append(items, responses.ResponseInputItemParamOfFunctionCall(call.Arguments, call.CallID, call.Name))
		}
	}
	check.Same("ids", ids, []string{"call_first", "call_second"})
	check.Same("arguments", arguments, []string{check.Arguments, check.Elsewhere})
	for i, id := range ids {
		output := responses.ResponseInputItemParamOfFunctionCallOutput([]string{"rain", "sun"}[i])
		output.OfFunctionCallOutput.CallID = openai.String(id)
		items = append(items, output)
	}
	p.Input.OfInputItemList = items
	check.Same("text", check.Must(s.Responses.New(s.ctx, p)).OutputText(), "The tool says rain and sun")
}

func (s *session) responseImage(model string) {
	p := respond(model, "")
	url := "data:image/png;base64," + base64.StdEncoding.EncodeToString(check.PNG())
	p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		responses.ResponseInputItemParamOfMessage(responses.ResponseInputMessageContentListParam{
			responses.ResponseInputContentParamOfInputText("What is this?"),
			{OfInputImage: &responses.ResponseInputImageParam{ImageURL: openai.String(url), Detail: responses.ResponseInputImageDetailAuto}},
		}, responses.EasyInputMessageRoleUser),
	}}
	check.Same("text", check.Must(s.Responses.New(s.ctx, p)).OutputText(), check.Seen)
}

func (s *session) responseErrors(model string) {
	_, err := s.Responses.New(s.ctx, respond(model, "refuse"))
	if e := asError(err); e.StatusCode != 400 || !strings.Contains(e.Message, "'temperature' is out of range.") {
		check.Fatalf("%d %s", e.StatusCode, e.Message)
	}
	st := s.Responses.NewStreaming(s.ctx, respond("nothing", "Hello"))
	check.Same("an event", st.Next(), false)
	check.Same("status", asError(st.Err()).StatusCode, 404)
}
