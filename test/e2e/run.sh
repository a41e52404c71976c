#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# run.sh: hoosh in front of real engines. It installs llama.cpp (test/engines) and, with E2E_OLLAMA=1, Ollama, which is used
# too where it was built before; then go run ./test/e2e starts them and runs the cases. Arguments go to that program:
# run.sh -only embeddings
#
# Ends with 0 when all passed, 1 when something failed. With 3 (a package registry cannot be reached) or 4 (a tool is
# missing) an engine that was wanted is not here; what needs none passed all the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
source test/engines/env.sh # for the versions
command -v go >/dev/null 2>&1 || missing go

left=0 flags=()

# engine NAME VERSION: installs it, or says that it is left out.
engine() {
  local code=0
  bash test/engines/install.sh "$1" || code=$?
  case $code in
  0) flags+=("-$1" "$2") ;;
  3 | 4) echo "e2e: left out: what needs $1"; left=$code ;;
  *) echo "e2e: $1 cannot be installed" >&2; exit 1 ;;
  esac
}

# built_ollama: is the pinned Ollama here, so that installing costs a moment?
built_ollama() {
  go version -m "$HOOSH_ENGINES/ollama/bin/ollama" 2>/dev/null | grep -qF "${OLLAMA%@*}	${OLLAMA#*@}	"
}

engine llamacpp "${XLLAMACPP#*==}"
if [ "${E2E_OLLAMA-}" = 1 ] || { [ -z "${E2E_OLLAMA-}" ] && built_ollama; }; then engine ollama "${OLLAMA#*@v}"; fi
export HOOSH_ENGINES
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/e2e" ./test/e2e
"$dir/e2e" ${flags[@]+"${flags[@]}"} "$@" &
trap 'kill "$!" 2>/dev/null || true' INT TERM # it ends what it has started
code=0
wait "$!" || code=$?
[ "$code" -le 128 ] || wait "$!" || true # a signal came: let it end
[ "$code" -eq 0 ] || exit 1
exit "$left"
