#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# check.sh: everything a change must pass before it is sent, each step with its seconds. It stops at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

# step NAME COMMAND...: runs it and says how long it took.
step() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@" || { echo "check: $name failed" >&2; exit 1; }
  echo "   $((SECONDS - start)) s"
}

formatted() {
  local files
  files=$(gofmt -l .) || return
  [ -z "$files" ] || { echo "$files"; return 1; }
}

# The tools have a go.mod of their own, so that hoosh's stays free of them.
staticcheck() { go tool -modfile=tools/go.mod staticcheck ./...; }

step gofmt formatted
step "go vet" go vet ./...
step "go vet for windows" env GOOS=windows go vet ./...
step staticcheck staticcheck
step "go mod tidy" go mod tidy -diff
step "licence lines" go run ./internal/tools/spdxcheck
step "exported API" go run ./internal/tools/apidump -check api.txt
step "go test" go test ./...
read -r cc _ <<<"$(go env CC)"
if command -v "$cc" >/dev/null 2>&1; then
  step "go test -race" env CGO_ENABLED=1 go test -race ./...
else
  echo "== go test -race: left out, there is no C compiler"
fi
echo "check: all passed in $SECONDS s"
