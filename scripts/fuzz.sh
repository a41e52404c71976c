#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# fuzz.sh [PACKAGE...]: runs each fuzzer of these packages (default: all) for FUZZTIME (10s), one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
count=0
for package in $(go list "${@:-./...}"); do
  for fuzzer in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "== $package $fuzzer"
    go test -run '^$' -fuzz "^$fuzzer\$" -fuzztime "${FUZZTIME:-10s}" "$package"
    count=$((count + 1))
  done
done
echo "fuzz: $count fuzzers, ${FUZZTIME:-10s} each"
