#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# check.sh: the examples that need the vendors' own Go libraries are built, vetted and tested. They have a go.mod of their
# own, so that hoosh's stays free of those libraries.
#
# Ends with 0 when all is well, 1 when something is not, 3 when the Go module proxy cannot be reached and 4 when Go is missing.
set -euo pipefail
cd "$(dirname "$0")"

bounded() { if command -v timeout >/dev/null 2>&1; then timeout "$@"; else shift; "$@"; fi; }

command -v go >/dev/null 2>&1 || { echo "examples/sdk: go is missing" >&2; exit 4; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What is needed to build and to test, and no more: 'go mod download' would fetch what the libraries' own tests want.
if ! bounded 300 go list -deps -test ./... >"$log" 2>&1; then
  if bounded 30 go list -m google.golang.org/genai@latest >/dev/null 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  echo "examples/sdk: the Go module proxy cannot be reached" >&2
  exit 3
fi
bounded 600 go build ./... || exit 1
bounded 300 go vet ./... || exit 1
bounded 300 go test -timeout 120s ./... || exit 1
