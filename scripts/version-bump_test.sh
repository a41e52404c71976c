#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# Tests of version-bump.sh, each in a git repository of its own in a temporary folder.
set -uo pipefail
script=$(cd "$(dirname "$0")" && pwd)/version-bump.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# repository VERSION [TAG...]: a fresh one, with something under Unreleased; it becomes the current folder.
repository() {
  local version=$1
  shift
  cd "$work" && rm -rf repo && mkdir repo && cd repo || exit 1
  git init -q .
  git config user.name tester
  git config user.email tester@example.invalid
  echo "$version" >VERSION
  printf '# Changelog\n\nWords.\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.0.9] - 2026-01-02\n\n### Fixed\n\n- Another.\n' >CHANGELOG.md
  git add . && git commit -q -m start
  for tag in "$@"; do git tag "$tag"; done
}

# expect NAME CONDITION...: counts one test.
expect() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL: $name" >&2
  fi
}

clean() { [ -z "$(git status --porcelain)" ]; }

# refuses NAME WORD VERSION: it fails, says WORD, and leaves everything as it was.
refuses() {
  local out code=0
  out=$("$script" "${@:3}" 2>&1) || code=$?
  expect "$1: fails" [ "$code" -ne 0 ]
  expect "$1: says '$2'" grep -qF -- "$2" <<<"$out"
  expect "$1: leaves nothing behind" clean
}

# bumps NAME VERSION: it succeeds and both files say so.
bumps() {
  expect "$1: succeeds" "$script" "$2" >/dev/null
  expect "$1: VERSION" [ "$(cat VERSION)" = "$2" ]
  expect "$1: only the two files changed" [ "$(git status --porcelain | sed 's/^ M //' | sort | tr '\n' ' ')" = "CHANGELOG.md VERSION " ]
}

repository 0.1.0 v0.1.0
bumps "next minor" 0.2.0
expected=$(printf '# Changelog\n\nWords.\n\n## [Unreleased]\n\n## [0.2.0] - %s\n\n### Added\n\n- A thing.\n\n## [0.0.9] - 2026-01-02\n\n### Fixed\n\n- Another.\n' "$(date -u +%F)")
expect "next minor: the changelog" [ "$(cat CHANGELOG.md)" = "$expected" ]
git commit -q -am 0.2.0
refuses "once more, with nothing new" "nothing under Unreleased" 0.3.0

repository 0.1.0
expect "no tag, the same version: succeeds" "$script" 0.1.0 >/dev/null
expect "no tag, the same version: the changelog" grep -q '^## \[0\.1\.0\] - 20' CHANGELOG.md
repository 0.1.0
refuses "no tag, an older version" "comes before VERSION" 0.0.10
repository 0.2.0 v0.1.0
refuses "before VERSION, after the tag" "comes before VERSION" 0.1.1

repository 0.9.0 v0.9.0
bumps "ten comes after nine" 0.10.0
repository 0.10.0 v0.9.0 v0.10.0
refuses "nine comes before ten" "last tag, v0.10.0" 0.9.1
repository 0.1.0 v0.1.0
refuses "the tagged version" "last tag, v0.1.0" 0.1.0
repository 0.1.0 v0.1.0 v2 vfoo v9.9.9-rc1
bumps "tags of another form do not count" 0.1.1

repository 0.1.0
for bad in 1 1.2 1.2.3.4 v1.2.3 1.2.x 01.2.3 1.2.3-rc1 ' 1.2.3' '' 1..3 9999999999.0.0; do
  refuses "'$bad'" "not a version" "$bad"
done
refuses "no argument" "usage"
refuses "two arguments" "usage" 0.2.0 0.3.0

repository 0.1.0
git rm -q CHANGELOG.md && git commit -q -m 'no changelog'
refuses "no changelog" "no CHANGELOG.md" 0.2.0
repository 0.1.0
sed -i.bak '/^- A thing/d' CHANGELOG.md && rm CHANGELOG.md.bak && git commit -q -am empty
refuses "an empty Unreleased" "nothing under Unreleased" 0.2.0
repository 0.1.0
sed -i.bak '/Unreleased/d' CHANGELOG.md && rm CHANGELOG.md.bak && git commit -q -am none
refuses "no Unreleased" "no line" 0.2.0
repository 0.0.1
refuses "a part that is there already" "already has" 0.0.9
repository nonsense
refuses "a broken VERSION" "VERSION holds" 0.2.0

repository 0.1.0
mkdir inside && cd inside || exit 1
expect "from a folder inside: succeeds" "$script" 0.2.0 >/dev/null
expect "from a folder inside: VERSION" [ "$(cat ../VERSION)" = 0.2.0 ]

# The second move fails: the first is undone.
repository 0.1.0
mkdir ../bin
printf '#!/bin/sh\ncase "$1" in CHANGELOG*) exit 1 ;; esac\nexec %s "$@"\n' "$(command -v mv)" >../bin/mv
chmod +x ../bin/mv
PATH="$work/bin:$PATH" refuses "half-way" "nothing was changed" 0.2.0

echo "version-bump: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
