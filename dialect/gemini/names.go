// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"strings"
	"unicode"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// names are the members that are acted on, in the spelling of the format. Each is
// also read in snake_case, and, so that nothing passes as unknown that a liberal
// backend would understand, in any case.
var names = [...]string{
	"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "cachedContent", "safetySettings", "labels", "serviceTier", "store",
	"model", "generateContentRequest", "requests", "content", "taskType", "title", "outputDimensionality",
	"role", "parts", "text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse",
	"executableCode", "codeExecutionResult", "toolCall", "toolResponse", "mimeType", "data", "fileUri", "displayName",
	"id", "name", "args", "response", "functionDeclarations", "description", "parameters", "parametersJsonSchema",
	"functionCallingConfig", "mode", "allowedFunctionNames",
	"temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty", "frequencyPenalty",
	"responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig", "includeThoughts", "thinkingBudget", "thinkingLevel",
}

// spellings finds a name by its two usual spellings, folded by all of them.
var spellings, folded = func() (usual, all map[string]string) {
	usual, all = map[string]string{}, map[string]string{}
	for _, name := range names {
		usual[name], usual[snake(name)] = name, name
		all[strings.ToLower(name)] = name
	}
	return usual, all
}()

// snake is a name in snake_case.
func snake(camel string) string {
	var b strings.Builder
	for _, r := range camel {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// nameOf is the name that a key, as it stands between its quotes, reads as; "" is
// one that is not known.
func nameOf(raw []byte) string {
	if name, ok := spellings[string(raw)]; ok {
		return name
	}
	if len(raw) > 64 {
		return ""
	}
	return folded[fold(jsonpeek.Unquote(raw))]
}

// fold takes case and underscores out of a name.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '_':
			return -1
		case 'ſ': // these two fold to letters of ASCII
			return 's'
		case '\u212a':
			return 'k'
		}
		return unicode.ToLower(r)
	}, name)
}

// keyOf is nameOf, or for an unknown name its text.
func keyOf(raw []byte) string {
	if name := nameOf(raw); name != "" {
		return name
	}
	return jsonpeek.Unquote(raw)
}
