"""A server that speaks OpenAI's protocol over real HTTP, and misbehaves on purpose.

As a program it prints its port and serves until it is ended: each request, told apart by prompt and seed, first meets
the faults that its digest draws, then is answered. What was answered is logged, one JSON object a line.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "sk-test-7d1f"
LABELS = ("Feeds(e1,e2)", "Feeds(e2,e1)", "Operates(e1,e2)", "Operates(e2,e1)", "Beside(e1,e2)", "none")
DECOY = "<think>broken</think><answer>Beside(e1,e2)</answer>"
"""Stands in broken bodies: whoever reads one of them scores it."""


@dataclass
class Reply:
    """What goes over the wire. `promised` bytes are announced though fewer may be sent; `hang` seconds pass before the
    first byte, `drip` seconds between pieces; `reset` breaks the connection instead."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    hang: float = 0.0
    drip: float = 0.0
    reset: bool = False


Script = Callable[[dict[str, Any], dict[str, str]], Reply]


def completion(text: str, finish: str | None = "stop", **message: Any) -> bytes:
    """The body of a whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": {"completion_tokens": 7}}).encode()


def stream(text: str, whole: bool = True) -> bytes:
    """The same as server-sent events; one that is not whole ends before its finish reason."""
    pieces = [text[i : i + 9] for i in range(0, len(text), 9)]
    events: list[dict[str, Any]] = [{"choices": [{"delta": {"content": p}, "finish_reason": None}]} for p in pieces]
    if whole:
        events.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        events.append({"choices": [], "usage": {"completion_tokens": 7}})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return ": a comment\n\n".join(["", *lines, *(["data: [DONE]\n\n"] if whole else [])]).encode()


def error(status: int, message: str, code: str = "", **headers: str) -> Reply:
    body = json.dumps({"error": {"message": message, "code": code}}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server
        assert isinstance(server, Server)
        with server.lock:
            server.asked.append((time.monotonic(), body))
        reply = server.script(body, dict(self.headers)) if self.path == "/v1/chat/completions" else error(404, "no")
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True  # the client had enough

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.hang)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        length = len(reply.body) if reply.promised is None else reply.promised
        self.send_header("Content-Length", str(length))
        self.end_headers()
        step = 64 if reply.drip else len(reply.body) or 1
        for start in range(0, len(reply.body), step):
            self.wfile.write(reply.body[start : start + step])
            self.wfile.flush()
            time.sleep(reply.drip)
        self.close_connection = length != len(reply.body)

    def log_message(self, *args: Any) -> None:
        """Silence."""


class Server(ThreadingHTTPServer):
    """Answers by a script; remembers when it was asked what."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.lock = threading.Lock()
        self.asked: list[tuple[float, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    """The server in a thread of this process."""
    with Server(script) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def faulty(hang: float) -> dict[str, Callable[[], Reply]]:
    """Every fault by its name; `hang` is longer than the client waits."""
    whole = completion(DECOY)
    return {
        "timeout": lambda: Reply(body=whole, hang=hang),
        "429 with seconds": lambda: error(429, "slow down", retry_after="0.05"),
        "429 with milliseconds": lambda: error(429, "slow down", retry_after_ms="20"),
        "429": lambda: error(429, "slow down"),
        "500": lambda: error(500, DECOY),
        "502 page": lambda: Reply(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}),
        "503": lambda: error(503, "loading"),
        "garbage": lambda: Reply(body=b"\x1f\x8b\x00lorem"),
        "not UTF-8": lambda: Reply(body=b'{"choices": "\xff\xfe"}'),
        "page": lambda: Reply(body=f"<html>{DECOY}</html>".encode(), headers={"Content-Type": "text/html"}),
        "another object": lambda: Reply(body=json.dumps({"answer": DECOY}).encode()),
        "error in a good reply": lambda: Reply(body=json.dumps({"error": {"message": "overloaded"}}).encode()),
        "no choices": lambda: Reply(body=json.dumps({"choices": []}).encode()),
        "unfinished": lambda: Reply(body=completion(DECOY, finish=None)),
        "cut JSON": lambda: Reply(body=whole[:-20]),
        "cut body": lambda: Reply(body=whole[:-20], promised=len(whole)),
        "wrong gzip": lambda: Reply(body=whole, headers={"Content-Encoding": "gzip"}),
        "cut stream": lambda: Reply(body=stream(DECOY, whole=False), headers={"Content-Type": "text/event-stream"}),
        "endless drip": lambda: Reply(body=whole + b" " * 6400, drip=hang / 50),
        "reset": lambda: Reply(reset=True),
        "silent end": lambda: Reply(promised=len(whole)),
    }


class Faults:
    """A script: the faults that a request's digest draws, one an attempt, then its answer."""

    def __init__(self, log: Path, hang: float) -> None:
        self.kinds = faulty(hang)
        self.log, self.lock = log, threading.Lock()
        self.attempts: Counter[str] = Counter()

    def __call__(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        if headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, f"no key in {headers.get('Authorization')}")
        prompt = body["messages"][-1]["content"]
        digest = hashlib.sha256(f"{body['seed']}:{prompt}".encode()).hexdigest()
        draw = random.Random(digest)
        plan = draw.choices(list(self.kinds), k=draw.choice([0, 0, 1, 1, 2, 3]))
        text = f"<think>{digest}</think><answer>{draw.choice(LABELS)}</answer>"
        form = draw.choice(["plain", "plain", "stream", "drip"])
        with self.lock:
            number = self.attempts[digest]
            self.attempts[digest] += 1
            kind = plan[number] if number < len(plan) else "answer"
            row = {"prompt": prompt, "seed": body["seed"], "kind": kind, "text": text if kind == "answer" else None}
            with open(self.log, "a", encoding="utf-8") as handle:
                handle.write(json.dumps(row) + "\n")
        if kind != "answer":
            return self.kinds[kind]()
        if form == "stream":
            return Reply(body=stream(text), headers={"Content-Type": "text/event-stream"}, drip=0.001)
        return Reply(body=completion(text), drip=0.01 if form == "drip" else 0.0)


def main() -> None:
    """`python openai_server.py LOG HANG`"""
    with Server(Faults(Path(sys.argv[1]), float(sys.argv[2]))) as server:
        print(server.url, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
