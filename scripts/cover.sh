#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# cover.sh: how many of the module's statements its tests run, whichever package the test is in. Developer tools, examples
# and test/ are left out. Fails below COVER_MIN per cent (85). The profile stays in coverage.out.
set -euo pipefail
cd "$(dirname "$0")/.."
min=${COVER_MIN:-85}

module=$(go list -m)
packages=$(go list ./... | grep -vE "^$module/(internal/tools|examples|test)(/|$)" | paste -sd, -)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go test -coverpkg="$packages" -coverprofile=coverage.out ./... >"$log" 2>&1 || { cat "$log"; exit 1; }
total=$(go tool cover -func=coverage.out | awk '$1 == "total:" { sub("%", "", $NF); print $NF }')
echo "coverage: $total% of statements"
awk -v total="$total" -v min="$min" 'BEGIN { exit !(total >= min) }' ||
  { echo "cover: below $min%; 'go tool cover -html=coverage.out' shows where" >&2; exit 1; }
