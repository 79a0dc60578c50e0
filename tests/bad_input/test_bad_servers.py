"""Bad input: servers that refuse. What may pass by itself is tried again, and is tested in tests/generation."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bad_case import Case, check, run_command

REFUSALS = {
    "a server that wants a key": (
        401, {"error": {"message": "no key"}},
        "{} wants an API key (HTTP 401: no key) (set OPENAI_API_KEY, or name another variable)",
    ),
    "a server that forbids": (
        403, {"error": {"message": "not you"}},
        "{} wants an API key (HTTP 403: not you) (set OPENAI_API_KEY, or name another variable)",
    ),
    "a server without such a model": (
        404, {"error": {"message": "no model"}},
        "{0} has no model 'x', or is no base address (HTTP 404: no model) (its models are listed at {0}/models)",
    ),
    "a server that answers a page": (
        405, "<html>",
        "{0} has no model 'x', or is no base address (HTTP 405…) (its models are listed at {0}/models)",
    ),
    "an account without credit": (
        429, {"error": {"message": "pay", "code": "insufficient_quota"}},
        "{}: HTTP 429: pay (the account has no credit left)",
    ),
}  # fmt: skip


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that gives every request the same answer."""
    status, answer = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/v1"
        listening.shutdown()


@pytest.mark.parametrize(
    ("name", "server"),
    [(name, (status, answer)) for name, (status, answer, _) in REFUSALS.items()],
    indirect=["server"],
)
def test_a_refusal_is_one_message(
    name: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ask = ("evaluate", "--task", "world", "--limit", "1", "--samples", "0", "--json", "--model", "openai:x")
    ran = run_command((*ask, "--endpoint", server), monkeypatch, capsys)
    check(Case(name, ask, REFUSALS[name][2].format(server)), ran, {}, {})
