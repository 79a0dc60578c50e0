"""Many requests to a real server that fails in every way, through the whole of `evaluate`: nothing is lost, nothing is
scored that the server did not answer."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import KEY, faulty

from bythebook.evaluation import evaluate
from bythebook.generation import load_model, server_at
from bythebook.records import read_jsonl, read_records

pytest.importorskip("httpx2", reason="the 'openai' extra is not installed")

_HANG = 2.0
"""Seconds for which a fault keeps silent; the client waits half of it."""
_GOLD = ("Feeds(e1,e2)", "Operates(e2,e1)", "none")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of the faulty server, a process of its own, and its log."""
    log = tmp_path / "server.jsonl"
    script = Path(__file__).with_name("openai_server.py")
    process = subprocess.Popen([sys.executable, str(script), str(log), str(_HANG)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        yield process.stdout.readline().strip(), log
        process.kill()


def sentences(path: Path, count: int) -> Path:
    rows = []
    for i in range(count):
        gold = _GOLD[i % len(_GOLD)]
        rows.append({"id": f"r{i}", "text": f"In hall {i} the <e1>pump</e1> feeds the <e2>boiler</e2>.", "label": gold})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def check(server: tuple[str, Path], folder: Path, fixtures: Path, count: int, samples: int) -> list[dict[str, Any]]:
    """Evaluate and compare every record with what the server answered; the server's log."""
    url, log = server
    terms = {"concurrency": 64, "timeout": _HANG / 2, "retries": 12, "backoff": 0.02, "longest_wait": 0.5}
    model = load_model("openai:tester", endpoint=server_at(url, **terms))
    found = evaluate(
        model,
        "documents",
        path=sentences(folder / "in.jsonl", count),
        guideline=str(fixtures / "machines" / "guideline.md"),
        samples=samples,
        output=folder / "out",
    )
    (file,) = (folder / "out").glob("documents.*.jsonl")
    records = read_records(file)
    assert Counter((r.id, r.sample) for r in records) == Counter(
        (f"r{i}", n) for i in range(count) for n in range(-1, samples)
    )
    answered: defaultdict[str, set[str]] = defaultdict(set)
    rows = [row for _, row in read_jsonl(log)]
    for row in rows:
        if row["text"]:
            hall = re.findall(r"In hall (\d+) ", row["prompt"])[-1]
            answered[f"r{hall}"].add(row["text"])
    for r in records:
        assert r.completion in answered[r.id]
        label = str(r.completion).partition("<answer>")[2].removesuffix("</answer>")
        assert r.answer == label
        assert r.gold == _GOLD[int(r.id[1:]) % len(_GOLD)]
        assert (r.correct, r.status) == ((True, "ok") if label == r.gold else (False, "wrong"))
        assert (r.finish_reason, r.errors, r.tokens) == ("stop", (), 7)
    # Every request had its own seed, so that each completion of an example is another answer of the server.
    assert len({r.completion for r in records}) == count * (1 + samples)
    (scored,) = found.values()
    assert (scored["n"], scored["k"], scored["unscored"]) == (count, samples, 0)
    assert not (folder / "out.errors.jsonl").exists()
    return rows


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return KEY


def test_two_hundred_requests_with_faults_lose_nothing_and_score_nothing_wrongly(
    server: tuple[str, Path], tmp_path: Path, fixtures: Path, key: str
) -> None:
    rows = check(server, tmp_path, fixtures, count=50, samples=3)
    assert len(rows) > 300
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert len(written) > 1
    assert [p for p in written if key in p.read_text(encoding="utf-8")] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_thousand_requests_with_faults_lose_nothing_and_score_nothing_wrongly(
    server: tuple[str, Path], tmp_path: Path, fixtures: Path, key: str
) -> None:
    rows = check(server, tmp_path, fixtures, count=500, samples=3)
    seen = Counter(row["kind"] for row in rows)
    assert set(seen) == {*faulty(_HANG), "answer"}
    assert min(seen.values()) > 50
    print(f"{len(rows)} attempts at 2000 requests: {dict(seen)}")
