#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# run.sh: unmodified client libraries and agents against hoosh, in front of scripted backends. It installs them, at the versions
# that are pinned here, into clients/ of the folder for engines (test/engines), where they stay; then the program of this folder
# runs what each folder in it checks.
#
# Ends with 0 when no client has failed and at least $least ran. When fewer ran it ends with 3 for want of a package registry,
# and with 4 for want of a tool that takes them. Anything else is 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
source test/engines/env.sh # for the folder
command -v go >/dev/null 2>&1 || missing go
here=test/clients cache=$HOOSH_ENGINES/clients least=8
flags=() installed=0 reached=1 equipped=1 why=

bounded() { if command -v timeout >/dev/null 2>&1; then timeout "$@"; else shift; "$@"; fi; }

# client NAME COMMAND: one to run; the words of the command are separated by |.
client() { flags+=(-client "$1=$2"); installed=$((installed + 1)); }
left_out() { flags+=(-missing "$1=$why"); }
broken() { flags+=(-broken "$1=$(tr '\n' ' ' <"$2" | cut -c1-600)"); }
not_reached() { why="$1 cannot be reached" reached=0; }

# python_env FOLDER PINS PACKAGE: a virtual environment with what the file of pins names; PACKAGE is one of them. Where there is
# none, why says why; so do the others.
python_env() {
  local dir=$cache/$1 pins=$here/python/$2
  command -v python3 >/dev/null 2>&1 || { why="python3 is missing" equipped=0; return 1; }
  if cmp -s "$pins" "$dir/installed"; then return; fi
  rm -rf "$dir" && mkdir -p "$dir"
  python3 -m venv "$dir/venv" >/dev/null 2>&1 || { why="python3 has no venv module" equipped=0; return 1; }
  local pip=("$dir/venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input --retries 1 --timeout 10)
  if ! bounded 300 "${pip[@]}" install -r "$pins" >"$dir/log" 2>&1; then
    if bounded 30 "${pip[@]}" index versions "$3" >/dev/null 2>&1; then
      why="pip: $(grep -m1 ERROR "$dir/log" || tail -n1 "$dir/log")" equipped=0
    else
      not_reached "the Python package index"
    fi
    return 1
  fi
  cp "$pins" "$dir/installed"
}

# python_clients FOLDER PINS PACKAGE NAME=PROGRAM…
python_clients() {
  local folder=$1 c ok=1
  python_env "$1" "$2" "$3" || ok=0
  for c in "${@:4}"; do
    if [ "$ok" = 1 ]; then client "${c%%=*}" "$cache/$folder/venv/bin/python|$here/python/${c#*=}"; else left_out "${c%%=*}"; fi
  done
}

# node_env FOLDER PACKAGE: what the lock file in that folder names, and the folder's programs beside node_modules, where they
# find it. No package gets to run anything while it is installed.
node_env() {
  local dir=$cache/$1 lock=$here/$1/package-lock.json
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { why="node or npm is missing" equipped=0; return 1; }
  if ! cmp -s "$lock" "$dir/installed"; then
    rm -rf "$dir" && mkdir -p "$dir"
    cp "$here/$1/package.json" "$lock" "$dir/"
    local npm=(npm --prefix "$dir" --no-audit --no-fund --no-update-notifier --ignore-scripts --fetch-retries 1 --fetch-timeout 20000)
    if ! bounded 300 "${npm[@]}" ci --loglevel error >"$dir/log" 2>&1; then
      if bounded 30 "${npm[@]}" view "$2" version >/dev/null 2>&1; then
        why="npm: $(grep -m1 -i error "$dir/log" || tail -n1 "$dir/log")" equipped=0
      else
        not_reached "the npm registry"
      fi
      return 1
    fi
    cp "$lock" "$dir/installed"
  fi
  cp "$here/$1"/*.mjs "$dir/"
}

# node_clients FOLDER PACKAGE NAME=PROGRAM…
node_clients() {
  local folder=$1 c ok=1
  node_env "$1" "$2" || ok=0
  for c in "${@:3}"; do
    if [ "$ok" = 1 ]; then client "${c%%=*}" "node|$cache/$folder/${c#*=}"; else left_out "${c%%=*}"; fi
  done
}

# go_clients NAME=FOLDER… have a module of their own, so that hoosh's knows nothing of them. What hoosh's own go.mod gains is
# taken in on a copy of theirs: nothing here is written to.
go_clients() {
  local dir=$cache/go c log=$cache/go/log
  mkdir -p "$dir" && cp "$here/go/go.mod" "$here/go/go.sum" "$dir/"
  if (cd "$here/go" && bounded 240 go mod download -modfile="$dir/go.mod") >"$log" 2>&1; then
    if (cd "$here/go" && go vet -modfile="$dir/go.mod" -mod=mod ./... && go build -modfile="$dir/go.mod" -mod=mod -o "$dir/" ./...) >"$log" 2>&1; then
      for c in "$@"; do client "${c%%=*}" "$dir/${c#*=}"; done
    else
      broken "Go clients" "$log"
    fi
  elif bounded 30 go list -m github.com/sashabaranov/go-openai@v1.43.0 >/dev/null 2>&1; then
    broken "Go clients" "$log"
  else
    not_reached "the Go module proxy"
    for c in "$@"; do left_out "${c%%=*}"; done
  fi
}

mkdir -p "$cache"
if command -v flock >/dev/null 2>&1; then # two test runs may want the same at once
  exec 9>"$cache/.lock"
  flock 9
fi
python_clients python requirements.txt openai \
  "OpenAI Python=check_openai.py" "Anthropic Python=check_anthropic.py" "Google Gen AI Python=check_genai.py" "Ollama Python=check_ollama.py"
python_clients langchain requirements-langchain.txt langchain-core "LangChain=check_langchain.py"
node_clients node openai \
  "OpenAI Node=openai.mjs" "Anthropic Node=anthropic.mjs" "Google Gen AI Node=genai.mjs" "Ollama Node=ollama.mjs" "AI SDK=ai.mjs"
node_clients agents @openai/codex "Claude Code=claude.mjs" "Codex=codex.mjs"
go_clients openai-go=openaigo go-openai=goopenai anthropic-sdk-go=anthropicgo google.golang.org/genai=genaigo
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
if [ "$installed" -lt "$least" ]; then
  echo "clients: $installed ran, and $least is the least" >&2
  [ "$reached" -eq 1 ] || exit 3
  [ "$equipped" -eq 1 ] || exit 4
  exit 1
fi
