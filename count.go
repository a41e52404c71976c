// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

// estimate answers how many tokens a chat has where no backend of its model can
// count them: from the bytes of its text.
func estimate(c *Call, res *resolution) *Reply {
	to := &res.rule.to[0]
	u := Usage{Input: countTokens(int64(c.load.envelope.Text)), Source: UsageCounted}
	return &Reply{Provider: to.b.Name, Model: or(to.model, res.asked), Dialect: OpenAI, Body: appendOpenAICount(nil, u),
		Usage: u, Route: res.routeName(), op: OpCount}
}
