"""The backend `openai` against servers that this test starts and scripts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from openai_server import KEY, Reply, completion, error, serving, stream

from bythebook.annotation import annotate_file
from bythebook.errors import MissingExtraError, ModelError
from bythebook.evaluation import evaluate
from bythebook.generation import Endpoint, Model, OpenAIModel, Sampling, load_model, server_at
from bythebook.generation.model import Messages
from bythebook.records import read_jsonl, read_records
from bythebook.types import Completion

httpx2 = pytest.importorskip("httpx2", reason="the 'openai' extra is not installed")

RIGHT = "<think>why</think><answer>Feeds(e1,e2)</answer>"


def ask(*texts: str) -> list[Messages]:
    return [[{"role": "user", "content": text}] for text in texts]


def model_at(url: str, **terms: Any) -> OpenAIModel:
    quick = {"timeout": 20, "retries": 3, "backoff": 0.01, "longest_wait": 1.0, **terms}
    model = load_model("openai:tester", endpoint=server_at(url, **quick))
    assert isinstance(model, OpenAIModel)
    return model


def echo(body: dict[str, Any], headers: dict[str, str]) -> Reply:
    return Reply(body=completion(body["messages"][-1]["content"]))


def fails_for(word: str, reply: Reply) -> Any:
    return lambda body, headers: reply if word in body["messages"][-1]["content"] else echo(body, headers)


# ------------------------------------------------------------------------------------------------------- what is asked


def test_completions_stand_in_the_order_of_the_prompts_and_samples() -> None:
    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        text = body["messages"][-1]["content"]
        return Reply(body=completion(f"{text} {body['seed']}"), hang=0.002 * (7 - int(text[1:]) % 7))

    texts = [f"p{i}" for i in range(30)]
    sampling = Sampling(n=3, temperature=0.7, top_p=0.9, max_new_tokens=11, seed=5)
    calls: list[tuple[int, int]] = []
    with serving(script) as server:
        first = model_at(server.url).generate(ask(*texts), sampling, lambda d, t: calls.append((d, t)))
        again = model_at(server.url, concurrency=1).generate(ask(*reversed(texts)), sampling)
        other = model_at(server.url).generate(ask(*texts), sampling.drawing(3, 6))
    assert [[c.text.split()[0] for c in group] for group in first] == [[t] * 3 for t in texts]
    assert len({c.text for group in first for c in group}) == 90
    assert again == first[::-1]
    assert other != first
    assert calls == [(i, 30) for i in range(1, 31)]
    body = server.asked[0][1]
    assert {**body, "seed": 0, "messages": []} == {
        "model": "tester",
        "messages": [],
        "max_tokens": 11,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 0,
    }


def test_extra_fields_are_sent_and_none_takes_one_away() -> None:
    extra = {"top_k": 20, "seed": None, "stream": True, "chat_template_kwargs": {"enable_thinking": False}}

    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        return Reply(body=stream(json.dumps(body)), headers={"Content-Type": "text/event-stream; charset=utf-8"})

    with serving(script) as server:
        ((got,),) = model_at(server.url, extra=extra).generate(ask("x"), Sampling(temperature=0, max_new_tokens=3))
    body = json.loads(got.text)
    assert (body["top_k"], body["stream"], body["chat_template_kwargs"]) == (20, True, {"enable_thinking": False})
    assert "seed" not in body
    assert "top_p" not in body


def test_no_more_requests_at_once_than_allowed() -> None:
    with serving(echo) as server:
        busy, most = Counter[str](), 0

        def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
            nonlocal most
            with server.lock:
                busy["now"] += 1
                most = max(most, busy["now"])
            time.sleep(0.02)
            with server.lock:
                busy["now"] -= 1
            return echo(body, headers)

        server.script = script
        model_at(server.url, concurrency=3).generate(ask(*map(str, range(20))), Sampling())
    assert most == 3


def test_wrapped_endpoint_is_a_model_that_never_shows_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    settings = {"template": "short", "rendering": "rules", "max_new_tokens": 9}
    model = model_at("http://user:secret@localhost:1/v1", api_key_env="TEAM_KEY", prefilled=True, settings=settings)
    assert isinstance(model, Model)
    assert (model.name, model.prefilled, model.settings.max_new_tokens) == ("openai:tester", True, 9)
    assert model.unknown_words(["zeppelin"]) == ()
    assert model.endpoint.shown == "http://localhost:1/v1"
    assert KEY not in repr(model.endpoint)


def test_no_prompts_ask_nothing() -> None:
    assert model_at("http://localhost:1/v1").generate([], Sampling()) == []


def test_inside_a_running_event_loop() -> None:
    async def notebook(url: str) -> list[list[Completion]]:
        return model_at(url).generate(ask("a"), Sampling())

    with serving(echo) as server:
        assert asyncio.run(notebook(server.url))[0][0].text == "a"


# ------------------------------------------------------------------------------------------------- what can't be mended


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "http://[", "http://x:99999/v1", ""])
def test_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ModelError, match="endpoint: url"):
        load_model("openai:x", endpoint=url)


def test_missing_parts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"no endpoint .*--endpoint http"):
        load_model("openai:x")
    with pytest.raises(ModelError, match="no name"):
        load_model("openai:", endpoint="http://x/v1")
    with pytest.raises(ModelError, match="asks no server"):
        load_model("x", "vllm", endpoint="http://x/v1")
    monkeypatch.delenv("TEAM_KEY", raising=False)
    with pytest.raises(ModelError, match="TEAM_KEY holds no API key"):
        model_at("http://x/v1", api_key_env="TEAM_KEY")
    monkeypatch.setenv("TEAM_KEY", "two\nlines")
    with pytest.raises(ModelError, match="is no API key") as problem:
        model_at("http://x/v1", api_key_env="TEAM_KEY")
    assert "two" not in str(problem.value)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    monkeypatch.delitem(sys.modules, "bythebook.generation.openai_client")
    with pytest.raises(MissingExtraError, match=r"bythebook\[openai\]"):
        model_at("http://x/v1")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), r"refuses the API key \(HTTP 401: .*set OPENAI_API_KEY"),
        (error(403, "no"), "refuses the API key"),
        (error(404, "The model `tester` does not exist"), r"no model 'tester', .*does not exist.*/v1/models"),
        (Reply(301, b"", {"Location": "https://elsewhere/v1"}), "HTTP 301"),
        (error(400, "temperature must be positive"), "temperature must be positive"),
        (error(429, "You exceeded your quota", code="insufficient_quota"), "no credit"),
    ],
)
def test_what_no_patience_mends_is_one_clear_message(
    reply: Reply, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(lambda body, headers: reply) as server:
        with pytest.raises(ModelError, match=message) as problem:
            model_at(server.url, concurrency=4).generate(ask(*"abcdefghijklmnopqrst"), Sampling(temperature=0))
        assert len(server.asked) <= 12
    assert KEY not in str(problem.value)
    assert "\n" not in str(problem.value)


def test_nobody_listening_is_said_soon() -> None:
    with serving(echo) as server:
        url = server.url
    with pytest.raises(ModelError, match=r"127\.0\.0\.1.* does not answer: no connection"):
        model_at(url, retries=50).generate(ask("a", "b"), Sampling())


def test_prompt_beyond_the_context_is_not_asked_twice_and_hurts_nobody() -> None:
    reply = error(400, "This model's maximum context length is 4096 tokens, you asked for 9000")
    with serving(fails_for("long", reply)) as server:
        got = model_at(server.url).generate(ask("a", "long", "b"), Sampling())
        assert len(server.asked) == 3
    assert [c.text for (c,) in got] == ["a", "", "b"]
    assert got[1][0].finish_reason == "error"
    assert str(got[1][0].error).startswith("too_long: HTTP 400")
    with serving(fails_for("long", reply)) as server:
        assert model_at(server.url).generate(ask("long"), Sampling())[0][0].finish_reason == "error"


def test_server_with_the_newer_name_of_the_token_limit() -> None:
    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        if "max_tokens" in body:
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return Reply(body=completion(str(body["max_completion_tokens"])))

    with serving(script) as server:
        got = model_at(server.url, concurrency=2).generate(ask(*"abcdef"), Sampling(max_new_tokens=77))
    assert {c.text for (c,) in got} == {"77"}
    assert len(server.asked) <= 8


# ------------------------------------------------------------------------------------------------------------- patience


def test_what_is_left_after_the_budget_is_an_error_and_says_why() -> None:
    with serving(fails_for("bad", error(503, "loading"))) as server:
        got = model_at(server.url, retries=2).generate(ask("a", "bad", "b"), Sampling(n=2))
        assert Counter(b["messages"][0]["content"] for _, b in server.asked) == {"a": 2, "bad": 6, "b": 2}
    assert [[c.finish_reason for c in group] for group in got] == [["stop"] * 2, ["error"] * 2, ["stop"] * 2]
    assert got[1][0] == Completion(text="", finish_reason="error", tokens=0, error="HTTP 503: loading (3 attempts)")


def test_nobody_asks_before_the_time_that_the_server_names() -> None:
    told: list[float] = []

    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        if not told:
            told.append(time.monotonic())
            return error(429, "slow down", retry_after="1")
        return echo(body, headers)

    with serving(script) as server:
        got = model_at(server.url, concurrency=1, longest_wait=5).generate(ask(*"abc"), Sampling())
    assert [c.text for (c,) in got] == ["a", "b", "c"]
    assert all(when - told[0] >= 0.9 for when, _ in server.asked[1:])


def test_wait_that_a_server_asks_for_is_bounded() -> None:
    replies = [error(429, "tomorrow", retry_after="86400")]
    with serving(lambda body, headers: replies.pop() if replies else echo(body, headers)) as server:
        assert model_at(server.url, longest_wait=0.1).generate(ask("a"), Sampling())[0][0].text == "a"


def test_every_form_of_retry_after() -> None:
    from bythebook.generation.openai_client import retry_after

    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=90), usegmt=True)
    for headers, low, high in (
        ({"Retry-After": "12"}, 12, 12),
        ({"Retry-After": "0.5"}, 0.5, 0.5),
        ({"Retry-After-Ms": "250", "Retry-After": "9"}, 0.25, 0.25),
        ({"Retry-After": soon}, 60, 90),
        ({"Retry-After": past}, 0, 0),
    ):
        assert low <= (retry_after(httpx2.Headers(headers)) or 0.0) <= high
    for text in ("", "soon", "-3", "nan", "inf", "1e400", "9" * 400):
        assert retry_after(httpx2.Headers({"Retry-After": text})) is None


def test_server_that_goes_down_midway_is_not_asked_for_ever() -> None:
    with serving(echo) as server:

        def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
            return echo(body, headers) if len(server.asked) <= 20 else error(503, "gone")

        server.script = script
        got = model_at(server.url, concurrency=4).generate(ask(*map(str, range(400))), Sampling())
        assert len(server.asked) < 100
    flat = [c for (c,) in got]
    # Four ask at once, so the twenty that were answered need not be the first twenty.
    assert all(c.text == str(i) for i, c in enumerate(flat) if c.finish_reason == "stop")
    assert Counter(c.finish_reason for c in flat) == {"stop": 20, "error": 380}


def test_reply_without_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bythebook.generation.openai_client._LARGEST", 10_000)
    replies = [Reply(body=completion("x" * 20_000))]
    with serving(lambda body, headers: replies.pop() if replies else echo(body, headers)) as server:
        assert model_at(server.url).generate(ask("a"), Sampling())[0][0].text == "a"


# ------------------------------------------------------------------------------------------------ evaluate and annotate


def test_unasked_rows_are_unscored_listed_and_asked_again(fixtures: Path, tmp_path: Path) -> None:
    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        broken = ill and "engineer" in body["messages"][-1]["content"].rpartition("# Sentence")[2]
        return error(500, "no") if broken else Reply(body=completion(RIGHT))

    folder, output = fixtures / "machines", tmp_path / "out"
    given = {"path": folder / "sentences.jsonl", "guideline": str(folder / "guideline.md"), "output": output}
    with serving(script) as server:
        ill = True
        (found,) = evaluate(model_at(server.url), "documents", samples=2, **given).values()
        records = read_records(next(output.glob("documents.*.jsonl")))
        unasked = [r for r in records if "engineer" in r.tags.get("document", "") or r.finish_reason == "error"]
        assert unasked
        assert {(r.correct, r.value, r.status, r.answer) for r in unasked} == {(None, None, "unscored", None)}
        assert all("HTTP 500" in r.errors[0] for r in unasked)
        listed = [(row["id"], row["sample"]) for _, row in read_jsonl(tmp_path / "out.errors.jsonl")]
        assert Counter(listed) == Counter((r.id, r.sample) for r in unasked)
        assert found["unscored"] == len(unasked)
        scored = [r for r in records if r.sample == -1 and r.correct is not None]
        assert found["greedy"] == sum(bool(r.correct) for r in scored) / len(scored)
        ill, before = False, len(server.asked)
        (healed,) = evaluate(model_at(server.url), "documents", samples=2, **given).values()
        assert len(server.asked) - before == len(unasked)
    after = read_records(next(output.glob("documents.*.jsonl")))
    assert Counter((r.id, r.sample) for r in after) == Counter((r.id, r.sample) for r in records)
    assert all(r.finish_reason == "stop" for r in after)
    assert (healed["unscored"], healed["n"]) == (0, found["n"])
    assert not (tmp_path / "out.errors.jsonl").exists()


def test_unasked_documents_are_listed_and_asked_again(fixtures: Path, tmp_path: Path) -> None:
    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        sentence = body["messages"][-1]["content"].rpartition("# Sentence")[2]
        return error(500, "no") if ill and "<e1>press</e1>" in sentence else Reply(body=completion(RIGHT))

    folder, output = fixtures / "machines", tmp_path / "out.jsonl"
    with serving(script) as server:
        given = (folder / "documents.jsonl", output, folder / "guideline.md", model_at(server.url))
        ill = True
        found = annotate_file(*given)
        listed = [row for _, row in read_jsonl(tmp_path / "out.jsonl.errors.jsonl")]
        assert (found["written"], found["failed"], len(listed)) == (3, 1, 1)
        assert listed[0]["status"] == "unscored"
        assert "HTTP 500" in listed[0]["message"]
        ill, before = False, len(server.asked)
        again = annotate_file(*given)
        assert len(server.asked) > before
    assert (again["written"], again["kept"], again["failed"], again["errors"]) == (1, 2, 0, None)
    rows = [row for _, row in read_jsonl(output)]
    assert sorted(row["id"] for row in rows) == ["d1", "d2", "d3"]
    assert {a["status"] for row in rows for a in row["answers"]} == {"ok"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bythebook", *arguments]


def test_command_line_asks_the_endpoint_and_ends_with_3_where_rows_are_left(fixtures: Path, tmp_path: Path) -> None:
    folder = fixtures / "machines"
    asked = ["--model", "openai:tester", "--api-key-env", "TEAM_KEY", "--concurrency", "3", "--timeout", "20"]
    source, given = str(folder / "sentences.jsonl"), ["--guideline", str(folder / "guideline.md"), "--output"]
    environment = {**os.environ, "TEAM_KEY": KEY}
    with serving(fails_for("engineer", error(400, "the context length is 5"))) as server:
        asked += ["--endpoint", server.url]
        evaluated = subprocess.run(
            command("evaluate", "-t", "documents", "-p", source, "--samples", "0", "--json", *asked, *given, "out"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
        annotated = subprocess.run(
            command("annotate", source, "--json", *asked, *given, "annotated.jsonl"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
    assert (evaluated.returncode, annotated.returncode) == (3, 3), evaluated.stderr + annotated.stderr
    assert next(iter(json.loads(evaluated.stdout).values()))["unscored"] > 0
    assert json.loads(annotated.stdout)["failed"] > 0
    texts = [p.read_text(encoding="utf-8") for p in tmp_path.rglob("*") if p.is_file()]
    assert len(texts) >= 4
    assert not any(KEY in text for text in [*texts, evaluated.stdout, evaluated.stderr, annotated.stderr])


def test_interruption_ends_at_once_and_keeps_what_was_written(fixtures: Path, tmp_path: Path) -> None:
    folder = fixtures / "machines"
    output = tmp_path / "annotated.jsonl"

    def script(body: dict[str, Any], headers: dict[str, str]) -> Reply:
        return Reply(body=completion(RIGHT)) if len(server.asked) <= 4 else Reply(hang=500)

    source = tmp_path / "in.jsonl"
    rows = [{"id": f"r{i}", "text": f"<e1>a {i}</e1> <e2>b</e2>"} for i in range(12)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving(echo) as server:
        server.script = script
        arguments = ["--endpoint", server.url, "--model", "openai:x", "--concurrency", "1", "-o", str(output)]
        process = subprocess.Popen(
            command("annotate", str(source), "-g", str(folder / "guideline.md"), *arguments),
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(server.asked) < 5 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        # The request underway would take ten minutes.
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert [row["id"] for _, row in read_jsonl(output)] == ["r0", "r1", "r2", "r3"]


def test_terms_out_of_range_are_refused() -> None:
    for terms in ({"concurrency": 0}, {"timeout": -1}, {"timeout": float("inf")}, {"retries": -1}, {"colour": 1}):
        with pytest.raises(ModelError, match=f"endpoint: {next(iter(terms))}"):
            server_at("http://x/v1", **terms)
    assert server_at("http://x/v1/chat/completions/") == Endpoint(url="http://x/v1")
