#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
# Five clients' formats against five vendors' through hoosh: every pair, every
# group of features. SABOTAGE=1 builds hoosh with its sabotage tag, to see that
# the matrix notices.
set -eu
cd "$(dirname "$0")/../.."
exec go run ${SABOTAGE:+-tags sabotage} ./test/matrix "$@"
