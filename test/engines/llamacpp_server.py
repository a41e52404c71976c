# SPDX-License-Identifier: AGPL-3.0-only
"""Runs llama.cpp's own HTTP server, which the xllamacpp wheel carries, on 127.0.0.1 until SIGTERM. See start.sh."""

import argparse
import os
import pathlib
import signal

import xllamacpp


def arguments():
    parser = argparse.ArgumentParser(prog="llamacpp_server.py")
    parser.add_argument("folder", type=pathlib.Path, help="where the models are")
    parser.add_argument("port", type=int)
    parser.add_argument("--model", default="smollm2-135m-instruct", help="a model of the folder, or a path that ends in .gguf")
    parser.add_argument("--ctx", type=int, default=4096, help="context length, shared by the slots")
    parser.add_argument("--parallel", type=int, default=2, help="slots")
    parser.add_argument("--embeddings", action="store_true", help="serve /v1/embeddings too, with mean pooling")
    parser.add_argument("--api-key", help="ask for this bearer token")
    return parser.parse_args()


def params(args):
    file = pathlib.Path(args.model)
    if file.suffix != ".gguf":
        file = args.folder / f"{args.model}.gguf"
    if not file.is_file():
        raise SystemExit(f"no such model: {file}")
    p = xllamacpp.CommonParams()
    p.model.path = str(file)
    p.model_alias = {file.stem}
    p.hostnames = ["127.0.0.1"]
    p.port = args.port
    p.n_ctx = args.ctx
    p.n_parallel = args.parallel
    # Threads wait for each other by spinning: on every core of a busy machine they are many times slower, not faster.
    p.cpuparams.n_threads = max(1, min(4, (os.cpu_count() or 1) // 2))
    p.endpoint_metrics = True
    p.endpoint_slots = True
    if args.embeddings:
        p.embedding = True
        p.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    if args.api_key:
        p.api_keys = [args.api_key]
    return p


def main():
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the server's threads start, for they inherit it
    server = xllamacpp.Server(params(arguments()))
    print("listening on", server.listening_address, flush=True)
    signal.sigwait(ends)
    os._exit(0)  # no waiting for requests that are still generating


if __name__ == "__main__":
    main()
