#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# start.sh llamacpp PORT [--embeddings] [--ctx N] [--parallel N] [--model NAME] [--api-key KEY]
# start.sh ollama PORT
#
# Runs an engine that install.sh installed: in the foreground, on 127.0.0.1 only, until SIGTERM.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

how="usage: start.sh llamacpp PORT [--embeddings] [--ctx N] [--parallel N] [--model NAME] [--api-key KEY] | start.sh ollama PORT"
[[ $# -ge 2 && $2 =~ ^[0-9]+$ ]] || usage "$how"
engine=$1 port=$2
shift 2
exec 9>&- # the installer's lock is not the server's to hold

case $engine in
llamacpp)
  python=$HOOSH_ENGINES/llamacpp/venv/bin/python
  [ -x "$python" ] || missing "$here/install.sh llamacpp first"
  exec "$python" "$here/llamacpp_server.py" "$models" "$port" "$@"
  ;;
ollama)
  [ $# -eq 0 ] || usage "$how"
  dir=$HOOSH_ENGINES/ollama
  [ -x "$dir/bin/ollama" ] || missing "$here/install.sh ollama first"
  export HOME=$dir OLLAMA_HOST=127.0.0.1:$port OLLAMA_MODELS=$dir/models OLLAMA_NO_CLOUD=1
  exec "$dir/bin/ollama" serve
  ;;
*) usage "$how" ;;
esac
