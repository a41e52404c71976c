// SPDX-License-Identifier: AGPL-3.0-only

// Package all links in every driver. Import it for its effect:
//
//	import _ "github.com/maccracken/hoosh/providers/all"
//
// A program that wants fewer imports the packages beside this one by name; each
// registers its driver and nothing else. Those that speak OpenAI's API bring the
// driver "compat" with them, which they are made of.
package all

import (
	_ "github.com/maccracken/hoosh/providers/anthropic"
	_ "github.com/maccracken/hoosh/providers/azure"
	_ "github.com/maccracken/hoosh/providers/cerebras"
	_ "github.com/maccracken/hoosh/providers/cohere"
	_ "github.com/maccracken/hoosh/providers/compat"
	_ "github.com/maccracken/hoosh/providers/deepseek"
	_ "github.com/maccracken/hoosh/providers/echo"
	_ "github.com/maccracken/hoosh/providers/fireworks"
	_ "github.com/maccracken/hoosh/providers/google"
	_ "github.com/maccracken/hoosh/providers/grok"
	_ "github.com/maccracken/hoosh/providers/groq"
	_ "github.com/maccracken/hoosh/providers/hoosh"
	_ "github.com/maccracken/hoosh/providers/huggingface"
	_ "github.com/maccracken/hoosh/providers/jan"
	_ "github.com/maccracken/hoosh/providers/koboldcpp"
	_ "github.com/maccracken/hoosh/providers/llamacpp"
	_ "github.com/maccracken/hoosh/providers/lmstudio"
	_ "github.com/maccracken/hoosh/providers/localai"
	_ "github.com/maccracken/hoosh/providers/mistral"
	_ "github.com/maccracken/hoosh/providers/moonshot"
	_ "github.com/maccracken/hoosh/providers/nvidia"
	_ "github.com/maccracken/hoosh/providers/ollama"
	_ "github.com/maccracken/hoosh/providers/openai"
	_ "github.com/maccracken/hoosh/providers/openrouter"
	_ "github.com/maccracken/hoosh/providers/perplexity"
	_ "github.com/maccracken/hoosh/providers/sglang"
	_ "github.com/maccracken/hoosh/providers/synapse"
	_ "github.com/maccracken/hoosh/providers/tgi"
	_ "github.com/maccracken/hoosh/providers/together"
	_ "github.com/maccracken/hoosh/providers/vllm"
	_ "github.com/maccracken/hoosh/providers/zai"
)
