#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# version-bump.sh X.Y.Z: writes VERSION and turns the Unreleased part of CHANGELOG.md into the part of this version, dated
# today (UTC). The version must come after the last tag vN.N.N and not before VERSION. Either both files change or neither.
# Committing and tagging are left to you.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"

die() { echo "version-bump: $1" >&2; exit 1; }

number='(0|[1-9][0-9]{0,8})'
is_version() { [[ $1 =~ ^$number\.$number\.$number$ ]]; }

# after A B: does version A come after version B?
after() {
  local a b i
  IFS=. read -ra a <<<"$1"
  IFS=. read -ra b <<<"$2"
  for i in 0 1 2; do
    if ((a[i] != b[i])); then return $((a[i] < b[i])); fi
  done
  return 1
}

# last_tag: the highest of the tags vN.N.N, without its v; nothing when there is none.
last_tag() {
  local tag last=
  while read -r tag; do
    if is_version "${tag#v}" && { [ -z "$last" ] || after "${tag#v}" "$last"; }; then last=${tag#v}; fi
  done < <(git tag --list 'v*')
  echo "$last"
}

[ $# -eq 1 ] || die "usage: version-bump.sh X.Y.Z"
new=$1
is_version "$new" || die "$new is not a version of the form X.Y.Z"
[ -f VERSION ] || die "there is no VERSION"
[ -f CHANGELOG.md ] || die "there is no CHANGELOG.md"
old=$(<VERSION)
is_version "$old" || die "VERSION holds $old, which is not of the form X.Y.Z"
tag=$(last_tag)
[ -z "$tag" ] || after "$new" "$tag" || die "$new does not come after the last tag, v$tag"
! after "$old" "$new" || die "$new comes before VERSION, $old"
! grep -qF "## [$new]" CHANGELOG.md || die "CHANGELOG.md already has a part for $new"
grep -qx '## \[Unreleased\] *' CHANGELOG.md || die "CHANGELOG.md has no line '## [Unreleased]'"
awk '/^## /{inside = /^## \[Unreleased\]/; next} inside && /^[-*] /{found = 1} END{exit !found}' CHANGELOG.md ||
  die "there is nothing under Unreleased in CHANGELOG.md"

# Prepare both files beside their places, then move them. A failure half-way puts the first one back.
backup=$(mktemp VERSION.old.XXXXXX)
trap 'rm -f "$backup" VERSION.new CHANGELOG.md.new' EXIT
cp VERSION "$backup"
echo "$new" >VERSION.new
awk -v heading="## [$new] - $(date -u +%F)" '
  /^## \[Unreleased\] *$/ && !done { print "## [Unreleased]\n\n" heading; done = 1; next }
  { print }' CHANGELOG.md >CHANGELOG.md.new
mv VERSION.new VERSION
mv CHANGELOG.md.new CHANGELOG.md || { cp "$backup" VERSION; die "cannot write CHANGELOG.md; nothing was changed"; }
echo "version-bump: $old -> $new"
