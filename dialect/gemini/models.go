// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import "strings"

// generation is what is known of a model by its name.
type generation struct {
	thinking    thinks
	least, most int   // bounds of a budget
	mayStop     bool  // thinking can be turned off, by a budget of 0
	levels      uint8 // of the words in levels, a bit each
	signed      bool  // the first tool call of a step is refused without a signature
	mediaInside bool  // a tool's result may hold media
}

// thinks says how a model is asked to think.
type thinks uint8

const (
	thinksNot    thinks = iota
	thinksBudget        // thinkingConfig.thinkingBudget
	thinksLevel         // thinkingConfig.thinkingLevel
)

// levels are the words, from the least.
var levels = [...]string{"MINIMAL", "LOW", "MEDIUM", "HIGH"}

const allLevels, proLevels, highLevels = 0b1111, 0b1110, 0b1010

// newest is also taken for models of other names.
var newest = generation{thinking: thinksLevel, levels: allLevels, signed: true, mediaInside: true}

// generations are told apart by words in a model's name, all of which must be there;
// the first that fits is it.
var generations = [...]struct {
	words []string
	generation
}{
	{[]string{"gemma"}, generation{}},
	{[]string{"learnlm"}, generation{}},
	{[]string{"gemini-1"}, generation{}},
	{[]string{"gemini-pro-vision"}, generation{}},
	{[]string{"gemini-2.0"}, generation{}},
	{[]string{"gemini-2.5", "-image"}, generation{}},
	{[]string{"gemini-2.5", "-tts"}, generation{}},
	{[]string{"gemini-2.5", "flash-lite"}, generation{thinking: thinksBudget, least: 512, most: 24576, mayStop: true}},
	{[]string{"gemini-2.5", "flash"}, generation{thinking: thinksBudget, least: 1, most: 24576, mayStop: true}},
	{[]string{"gemini-2"}, generation{thinking: thinksBudget, least: 128, most: 32768}},
	{[]string{"gemini-robotics-er-1.5"}, generation{thinking: thinksBudget, least: 1, most: 24576, mayStop: true}},
	{[]string{"gemini-3-pro-image"}, generation{signed: true, mediaInside: true}},
	{[]string{"gemini-3-pro"}, generation{thinking: thinksLevel, levels: highLevels, signed: true, mediaInside: true}},
	{[]string{"gemini-3", "-pro"}, generation{thinking: thinksLevel, levels: proLevels, signed: true, mediaInside: true}},
	{[]string{"gemini-pro-latest"}, generation{thinking: thinksLevel, levels: proLevels, signed: true, mediaInside: true}},
}

// generationOf reads a model's name as Google writes it, or one of those who sell
// its models: gemini-2.5-flash-lite, google/gemini-3-pro-preview.
func generationOf(model string) generation {
	model = strings.ToLower(model)
next:
	for i := range generations {
		for _, word := range generations[i].words {
			if !strings.Contains(model, word) {
				continue next
			}
		}
		return generations[i].generation
	}
	return newest
}

// efforts are what an effort, in OpenAI's words, means in tokens, and which of the
// levels it is.
var efforts = map[string]struct{ budget, level int }{
	"minimal": {1 << 10, 0},
	"low":     {1 << 10, 1},
	"medium":  {8 << 10, 2},
	"high":    {24 << 10, 3},
	"xhigh":   {32 << 10, 3},
	"max":     {32 << 10, 3},
}

// levelOf is the level that comes near a budget.
func levelOf(budget int) int {
	switch {
	case budget <= 512:
		return 0
	case budget <= 4<<10:
		return 1
	case budget <= 16<<10:
		return 2
	}
	return 3
}

// level is the model's own word for a level: the next greater one that it has.
func (g *generation) level(n int) string {
	for i := n; i < len(levels); i++ {
		if g.levels&(1<<i) != 0 {
			return levels[i]
		}
	}
	return levels[len(levels)-1]
}
