"""The embedded model behind a real model server, `transformers serve`, answers as it does in this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bythebook.generation import Sampling, embedded_path, load_model, server_at, settings_of
from bythebook.prompts import render
from bythebook.tasks import task_named

pytestmark = pytest.mark.slow

for _module in ("httpx2", "fastapi", "uvicorn", "openai"):
    pytest.importorskip(_module, reason=f"no {_module}, which `transformers serve` or its client needs")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    command = [str(program), "serve", str(embedded_path()), "--device", "cpu", "--host", "127.0.0.1"]
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--dtype", "float32"],
            stdout=out,
            stderr=out,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
    with process:
        try:
            if not _ready(process, f"http://127.0.0.1:{port}/health"):
                pytest.skip(f"`transformers serve` does not start here: {log.read_text()[-300:]}")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _ready(process: subprocess.Popen[bytes], address: str) -> bool:
    for _ in range(240):
        if process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    return False


@pytest.mark.parametrize("stream", [False, True])
def test_served_model_answers_as_the_loaded_one(server: str, stream: bool) -> None:
    settings = settings_of(embedded_path())
    examples = task_named("world").read(None, train=0, id=6, ood=6)
    prompts = [render(e, settings.style) for rows in examples.values() for e in rows]
    assert len(prompts) == 12
    sampling = Sampling(temperature=0, max_new_tokens=settings.max_new_tokens or 32)
    terms = {"concurrency": 2, "settings": settings, "extra": {"stream": stream}}
    served = load_model(f"openai:{embedded_path()}", endpoint=server_at(server, **terms)).generate(prompts, sampling)
    here = load_model("embedded", device="cpu").generate(prompts, sampling)
    assert [c.text for (c,) in served] == [c.text for (c,) in here]
    assert [c.finish_reason for (c,) in served] == [c.finish_reason for (c,) in here]
