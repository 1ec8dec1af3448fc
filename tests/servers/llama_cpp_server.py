"""llama.cpp's own HTTP server on the CPU: the xllamacpp wheel brings its code, but not the command ``llama-server``.

python llama_cpp_server.py FILE.gguf PORT TOP_K MIN_P
"""

import signal
import sys

import xllamacpp

SLOTS = 4
"""Answers at a time; each slot has a context of its own, as with ``llama-server --parallel``."""
CONTEXT_TOKENS = 512


def serve(file: str, port: int, top_k: int, min_p: float) -> None:
    """Serve ``file`` as "tiny" until a signal ends the process."""
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = file, {"tiny"}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT_TOKENS
    # all in float32, as the weights are: the cache and flash attention would use half of it
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    # more threads spin while they wait for each other, and stand still where cores are shared
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.sampling.top_k, params.sampling.min_p = top_k, min_p
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
