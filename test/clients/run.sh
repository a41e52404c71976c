#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# run.sh: unmodified client libraries against hoosh, in front of a scripted backend. It installs them, at the versions that are
# pinned here, into clients/ of the folder for engines (test/engines), where they stay; then the program of this folder
# runs what each folder in it checks.
#
# Ends with 0 when no client has failed, 1 when one has, and 3 when none could be installed, for want of a package registry.
set -euo pipefail
cd "$(dirname "$0")/../.."
source test/engines/env.sh # for the folder
command -v go >/dev/null 2>&1 || missing go
here=test/clients cache=$HOOSH_ENGINES/clients
flags=() installed=0 reached=1

bounded() { if command -v timeout >/dev/null 2>&1; then timeout "$@"; else shift; "$@"; fi; }

# client NAME COMMAND: one to run; the words of the command are separated by |.
client() { flags+=(-client "$1=$2"); installed=$((installed + 1)); }
left_out() { flags+=(-missing "$1=$2"); }
not_reached() { left_out "$1" "$2 cannot be reached"; reached=0; }

python_client() {
  local name="OpenAI Python" dir=$cache/python py=$cache/python/venv/bin/python pins=$here/python/requirements.txt
  command -v python3 >/dev/null 2>&1 || { left_out "$name" "python3 is missing"; return; }
  if ! cmp -s "$pins" "$dir/installed"; then
    rm -rf "$dir" && mkdir -p "$dir"
    python3 -m venv "$dir/venv" >/dev/null 2>&1 || { left_out "$name" "python3 has no venv module"; return; }
    local pip=("$py" -m pip --quiet --disable-pip-version-check --no-input --retries 1 --timeout 10)
    if ! bounded 300 "${pip[@]}" install -r "$pins" >"$dir/log" 2>&1; then
      if bounded 30 "${pip[@]}" index versions openai >/dev/null 2>&1; then
        left_out "$name" "pip: $(grep -m1 ERROR "$dir/log" || tail -n1 "$dir/log")"
      else
        not_reached "$name" "the Python package index"
      fi
      return
    fi
    cp "$pins" "$dir/installed"
  fi
  client "$name" "$py|$here/python/check.py"
}

node_client() {
  local name="OpenAI Node" dir=$cache/node
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { left_out "$name" "node or npm is missing"; return; }
  if ! cmp -s "$here/node/package-lock.json" "$dir/installed"; then
    rm -rf "$dir" && mkdir -p "$dir"
    cp "$here/node/package.json" "$here/node/package-lock.json" "$dir/"
    local npm=(npm --prefix "$dir" --no-audit --no-fund --no-update-notifier --ignore-scripts --fetch-retries 1 --fetch-timeout 20000)
    if ! bounded 300 "${npm[@]}" ci --loglevel error >"$dir/log" 2>&1; then
      if bounded 30 "${npm[@]}" view openai version >/dev/null 2>&1; then
        left_out "$name" "npm: $(grep -m1 -i error "$dir/log" || tail -n1 "$dir/log")"
      else
        not_reached "$name" "the npm registry"
      fi
      return
    fi
    cp "$here/node/package-lock.json" "$dir/installed"
  fi
  cp "$here/node/check.mjs" "$dir/" # beside node_modules, where it finds them
  client "$name" "node|$dir/check.mjs"
}

# go_clients have a module of their own, so that hoosh's knows nothing of them. What hoosh's own go.mod gains is taken in on
# a copy of theirs: nothing here is written to.
go_clients() {
  local dir=$cache/go log
  mkdir -p "$dir" && cp "$here/go/go.mod" "$here/go/go.sum" "$dir/"
  log=$dir/log
  if (cd "$here/go" && bounded 120 go mod download -modfile="$dir/go.mod") >"$log" 2>&1; then
    if (cd "$here/go" && go vet -modfile="$dir/go.mod" -mod=mod ./... && go build -modfile="$dir/go.mod" -mod=mod -o "$dir/" ./openaigo ./goopenai) >"$log" 2>&1; then
      client "openai-go" "$dir/openaigo"
      client "go-openai" "$dir/goopenai"
    else
      flags+=(-broken "Go clients=$(tr '\n' ' ' <"$log" | cut -c1-600)")
    fi
  elif bounded 30 go list -m github.com/sashabaranov/go-openai@v1.43.0 >/dev/null 2>&1; then
    flags+=(-broken "Go clients=$(tr '\n' ' ' <"$log" | cut -c1-600)")
  else
    not_reached "openai-go" "the Go module proxy"
    not_reached "go-openai" "the Go module proxy"
  fi
}

mkdir -p "$cache"
if command -v flock >/dev/null 2>&1; then # two test runs may want the same at once
  exec 9>"$cache/.lock"
  flock 9
fi
python_client
node_client
go_clients
exec 9>&-
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/clients" ./test/clients
"$dir/clients" "${flags[@]}" &
trap 'kill "$!" 2>/dev/null || true' INT TERM # it ends what it has started
code=0
wait "$!" || code=$?
[ "$code" -le 128 ] || wait "$!" || true # a signal came: let it end
[ "$code" -eq 0 ] || exit 1
if [ "$installed" -eq 0 ] && [ "$reached" -eq 0 ]; then exit 3; fi
