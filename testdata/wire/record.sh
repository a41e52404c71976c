#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# record.sh: starts the real engines of test/engines, sends each NAME.request.json of this folder and keeps what came back,
# byte for byte but for the two trims that SOURCE.md tells. Status, method, path and type of every answer go to index.tsv.
set -euo pipefail
cd "$(dirname "$0")"
engines=../../test/engines
pids=()
cleanup() { [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true; }
trap cleanup EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# serve ARGUMENTS...: starts an engine on a free port; sets base.
serve() {
  local port
  port=$(free_port)
  "$engines/start.sh" "$1" "$port" "${@:2}" >/dev/null 2>&1 &
  pids+=($!)
  base=http://127.0.0.1:$port
}

ready() { for _ in $(seq 300); do curl -sf -o /dev/null "$base$1" && return; sleep 0.1; done; return 1; }

# rec FILE METHOD PATH [CURL ARGUMENTS...]: FILE without its type names the request.
rec() {
  local file=$1 method=$2 path=$3 request=${1%.*}.request.json out
  shift 3
  [ "$method" = GET ] || set -- --data-binary "@$request" -H 'Content-Type: application/json' "$@"
  out=$(curl -sS --max-time 300 -o "$file" -w '%{http_code}\t%{content_type}' -X "$method" "$@" "$base$path")
  printf '%s\t%s\t%s\t%s\n' "$file" "$method" "$path" "$out" >>index.tsv
  if [ -n "${loading-}" ]; then case $out in 503*) ;; *) echo "too late for $file" >&2 ;; esac; fi
}

printf 'file\tmethod\tpath\tstatus\ttype\n' >index.tsv

serve llamacpp
until curl -s -o /dev/null "$base/health"; do :; done # it answers before the model is loaded
loading=1 rec llamacpp/error_loading.json POST /v1/chat/completions
ready /health
rec llamacpp/health.json GET /health
rec llamacpp/models.json GET /v1/models
rec llamacpp/props.json GET /props
rec llamacpp/chat.json POST /v1/chat/completions
rec llamacpp/chat.stream.sse POST /v1/chat/completions
rec llamacpp/chat.length.stream.sse POST /v1/chat/completions
rec llamacpp/chat.n2.json POST /v1/chat/completions
rec llamacpp/chat.logprobs.json POST /v1/chat/completions
rec llamacpp/chat.schema.json POST /v1/chat/completions
rec llamacpp/completions.json POST /v1/completions
rec llamacpp/tokenize.json POST /tokenize
rec llamacpp/slots.json GET /slots
rec llamacpp/metrics.txt GET /metrics
for e in invalid_json missing_messages wrong_type image schema too_many_choices; do
  rec llamacpp/error_$e.json POST /v1/chat/completions
done
rec llamacpp/error_embeddings_off.json POST /v1/embeddings
rec llamacpp/error_not_found.json GET /v1/nope

serve llamacpp --embeddings --ctx 256 --parallel 1 --api-key secret
ready /health
key='Authorization: Bearer secret'
rec llamacpp/embeddings.json POST /v1/embeddings -H "$key"
rec llamacpp/embeddings.base64.json POST /v1/embeddings -H "$key"
rec llamacpp/error_empty_input.json POST /v1/embeddings -H "$key"
rec llamacpp/error_context.json POST /v1/chat/completions -H "$key"
rec llamacpp/error_unauthorized.json POST /v1/chat/completions

serve ollama
ready /api/version
rec ollama/version.json GET /api/version
rec ollama/tags.json GET /api/tags
rec ollama/show.json POST /api/show
rec ollama/chat.load.json POST /api/chat
rec ollama/ps.json GET /api/ps
rec ollama/chat.json POST /api/chat
rec ollama/chat.stream.ndjson POST /api/chat
rec ollama/chat.length.stream.ndjson POST /api/chat
rec ollama/chat.logprobs.json POST /api/chat
rec ollama/chat.schema.json POST /api/chat
rec ollama/generate.stream.ndjson POST /api/generate
rec ollama/embed.json POST /api/embed
rec ollama/embed.dimensions.json POST /api/embed
for e in not_found tools think invalid_json wrong_type no_model option format image context; do
  rec ollama/error_$e.json POST /api/chat
done
rec ollama/error_show_not_found.json POST /api/show
rec ollama/error_embed_not_found.json POST /api/embed
rec ollama/error_openai_not_found.json POST /v1/chat/completions

python3 - <<'PY'
import json, re

def trim(path, change):
    with open(path) as f:
        reply = json.load(f)
    change(reply)
    with open(path, "w") as f:
        json.dump(reply, f, ensure_ascii=False, separators=(",", ":"))

def show(reply):
    reply["tensors"] = reply["tensors"][:2]
    for holder, key in ((reply, "modelfile"), (reply["details"], "parent_model")):
        holder[key] = re.sub(r"/\S*/models/blobs/", "/models/blobs/", holder[key])

def props(reply):
    reply["model_path"] = re.sub(r".*/models/", "/models/", reply["model_path"])
    if len(reply["chat_template"]) > 2000:
        reply["chat_template"] = reply["chat_template"][:2000]

trim("ollama/show.json", show)
trim("llamacpp/props.json", props)
PY
large=$(find . -name '*.json' -size +20k -o -name '*.sse' -size +20k -o -name '*.ndjson' -size +20k)
[ -z "$large" ] || { echo "over 20 KB: $large" >&2; exit 1; }
