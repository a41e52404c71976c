// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

// cannotCount reports that a backend, an older engine perhaps, turned out to know
// nothing of counting.
func cannotCount(err error) bool {
	e := AsError(err)
	switch e.Param {
	case "previous_response_id", "conversation", "prompt": // the rest of the chat is not here to be guessed
		return false
	}
	return e.Kind == ErrUnsupported || e.Upstream && e.Kind == ErrModelNotFound
}

// estimate answers how many tokens a chat has where nobody who has its model can
// count them: from the bytes of its text. The answer is marked [UsageCounted].
func estimate(c *Call, provider, model string) *Reply {
	u := Usage{Input: countTokens(int64(c.load.envelope.Text)), Source: UsageCounted}
	return &Reply{Provider: provider, Model: model, Dialect: OpenAI, Body: appendOpenAICount(nil, u), Usage: u, op: OpCount}
}
