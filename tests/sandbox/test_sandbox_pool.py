"""Many jobs through the sandbox: order, limits, hash seeds, and interpreters that die or fall silent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bythebook.errors import InputError
from bythebook.sandbox import Job, Limits, Outcome, Output, Sandbox
from bythebook.sandbox import launch as launching
from bythebook.sandbox.throughput import main, programs
from bythebook.sandbox.worker import Worker

GOOD = Job(source="def f(a):\n    return a", inputs=("1", "'x'"))
GOOD_OUTPUTS = (Output(text="1"), Output(text="'x'"))


def run_one(sandbox: Sandbox, source: str, given: str = "1", every_seed: bool = True) -> Outcome:
    return sandbox.run([Job(source=source, inputs=(given,), every_seed=every_seed)])[0]


def test_outcomes_come_in_the_order_of_the_jobs() -> None:
    with Sandbox(lanes=3, seeds=(1, 2)) as sandbox:
        jobs = [Job(source=f"def f(a):\n    return a * {i}", inputs=("2",)) for i in range(40)]
        assert [o.outputs[0].text for o in sandbox.run(jobs)] == [str(2 * i) for i in range(40)]
        assert sandbox.run([]) == []


def test_every_input_has_its_own_output(sandbox: Sandbox) -> None:
    outcome = sandbox.run([Job(source="def f(a, b=2):\n    return b / a", inputs=("1", "0", "4, 1", "x", "1, 2, 3"))])[
        0
    ]
    assert outcome.status == "ok"
    assert [o.text or o.error for o in outcome.outputs] == [
        "2.0", "ZeroDivisionError", "0.25", "input_not_literals", "TypeError",
    ]  # fmt: skip


def test_literals_are_brought_into_one_form(sandbox: Sandbox) -> None:
    outcome = sandbox.run([Job(literals=("{'b': 1, 'a': 2}", " ( 1 , ) ", "open('x')"))])[0]
    assert (outcome.status, outcome.outputs) == ("ok", ())
    assert outcome.literals == ("{'a': 2, 'b': 1}", "(1,)", None)


def test_inputs_do_not_see_one_another(sandbox: Sandbox) -> None:
    source = "seen = []\ndef f(a):\n    if a not in seen: seen.append(a)\n    return len(seen)"
    outcome = sandbox.run([Job(source=source, inputs=("1", "2", "3"))])[0]
    assert [o.text for o in outcome.outputs] == ["1", "1", "1"]


def test_arguments_that_are_changed_are_made_anew(sandbox: Sandbox) -> None:
    assert run_one(sandbox, "def f(a):\n    a.append(1)\n    return a", "[]").outputs[0].text == "[1]"


@pytest.mark.parametrize(
    ("name", "limits"),
    [("wall clock", Limits(wall_s=0.5, cpu_s=60)), ("processor time", Limits(wall_s=60, cpu_s=1))],
)
def test_time_runs_out(name: str, limits: Limits) -> None:
    with Sandbox(limits, lanes=1, seeds=(1,)) as sandbox:
        outcome = run_one(sandbox, "def f(a):\n    while True: pass")
        assert (outcome.status, outcome.detail) == ("timeout", name)
        assert sandbox.run([GOOD])[0].outputs == GOOD_OUTPUTS


def test_memory_runs_out() -> None:
    source = "def f(n):\n    return len('x' * n)"
    with Sandbox(Limits(memory_bytes=128 * 2**20), lanes=1, seeds=(1,)) as sandbox:
        outcome = sandbox.run([Job(source=source, inputs=(str(10**6), str(10**9)))])[0]
        assert outcome.outputs == (Output(text="1000000"), Output(error="MemoryError"))


def test_outputs_share_one_limit() -> None:
    with Sandbox(Limits(output_characters=50), lanes=1, seeds=(1,)) as sandbox:
        outcome = sandbox.run([Job(source="def f(n):\n    return 'x' * n", inputs=("30", "30", "2"))])[0]
        assert [o.error for o in outcome.outputs] == [None, "too_large", None]


def test_what_is_too_long_is_refused_without_a_process() -> None:
    with Sandbox(Limits(source_characters=40)) as sandbox:
        long = sandbox.run([Job(source="def f(a): return 1" + " " * 40), Job(literals=("1" * 41, "2"))])
        assert [o.status for o in long] == ["refused", "refused"]
        assert "more than 40 characters" in long[0].detail
        assert long[1].literals == (None, None)
        assert long[0].layers == ()


def test_the_order_of_a_set_is_found_by_processes_with_other_seeds() -> None:
    source = "def f(a):\n    return list({'ab', 'cd', 'ef', 'gh'})"
    with Sandbox(lanes=1, seeds=(1, 2)) as two, Sandbox(lanes=1, seeds=(7, 7)) as same:
        assert run_one(two, source).status == "nondeterministic"
        assert run_one(two, source).outputs == ()
        # One process, or several with one seed, would be content: that is the fault of the published check.
        assert run_one(same, source).status == "ok"
        assert run_one(two, source, every_seed=False).status == "ok"
        assert run_one(two, "def f(a):\n    return {'ab', 'cd', 'ef'}").outputs[0].text == "{'ab', 'cd', 'ef'}"


def test_four_seeds_find_more_than_two() -> None:
    jobs = [Job(source=f"def f(a):\n    return list({{'a{i}', 'b{i}'}})", inputs=("1",)) for i in range(24)]
    found = {}
    for number in (2, 4):
        with Sandbox(seeds=range(1, number + 1)) as sandbox:
            found[number] = sum(o.status == "nondeterministic" for o in sandbox.run(jobs))
    assert found[2] < found[4]
    assert found[4] > 16


def test_an_interpreter_that_was_killed_is_started_again() -> None:
    with Sandbox(lanes=1, seeds=(1, 2)) as sandbox:
        assert sandbox.run([GOOD])[0].outputs == GOOD_OUTPUTS
        for worker in sandbox._workers[0]:
            assert worker._process is not None
            os.killpg(worker._process.pid, signal.SIGKILL)
            worker._process.wait()
        assert sandbox.run([GOOD])[0].outputs == GOOD_OUTPUTS


def test_an_interpreter_that_is_stopped_does_not_hang_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bythebook.sandbox.pool._GRACE_S", 0.5)
    with Sandbox(Limits(wall_s=2.0), lanes=1, seeds=(1,), namespaces="off") as sandbox:
        assert sandbox.run([GOOD])[0].status == "ok"
        process = sandbox._workers[0][0]._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        silent = sandbox.run([GOOD])[0]
        assert (silent.status, silent.detail, silent.outputs) == ("killed", "no answer", ())
        assert process.poll() is not None
        assert sandbox.run([GOOD])[0].outputs == GOOD_OUTPUTS


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"status": "ok"},
        {"status": "excellent", "outputs": [["ok", "1"], ["ok", "2"]]},
        {"status": "ok", "outputs": [["ok", "1"]]},
        {"status": "ok", "outputs": [["ok", "1"], ["fine", "2"]]},
        {"status": "ok", "outputs": [["ok", "1"], ["ok", 2]]},
        {"status": "ok", "outputs": 7},
        {"status": "ok", "outputs": [["ok", "1"], ["ok", "2"]], "literals": ["1"]},
        {"status": "refused", "outputs": [["ok", "1"], ["ok", "2"]]},
    ],
)
def test_an_answer_of_another_form_is_none(sandbox: Sandbox, said: dict[str, Any] | None) -> None:
    outcome = sandbox._outcome(said, sandbox._workers[0][0], GOOD)
    assert (outcome.status, outcome.detail, outcome.outputs) == ("killed", "no answer", ())


@pytest.mark.parametrize("line", [b"\n", b"{\n", b"[1]\n", b"[" * 100_000 + b"\n", b"9" * 5000 + b"\n", b"{}"])
def test_a_worker_reads_whatever_comes(line: bytes) -> None:
    worker = Worker(1, "off")
    echo = [sys.executable, "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"]
    worker._process = subprocess.Popen(
        echo, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
    )
    assert worker._process.stdin is not None
    worker._process.stdin.write(line)
    worker._process.stdin.close()
    assert worker.receive(30.0) is None
    assert worker._process is None


def test_without_an_interpreter_the_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    false = shutil.which("false")
    assert false is not None
    way = launching.Launch((false,), {}, False)
    monkeypatch.setattr("bythebook.sandbox.worker.launches", lambda seed, namespaces: [way])
    with Sandbox(lanes=1) as sandbox, pytest.raises(InputError, match="no interpreter"):
        sandbox.run([GOOD])


def test_a_way_that_does_not_work_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    real = launching.launches(1, "off")
    ways = [launching.Launch(("no-such-program-anywhere",), {}, True), *real]
    monkeypatch.setattr("bythebook.sandbox.worker.launches", lambda seed, namespaces: list(ways))
    with Sandbox(lanes=1, seeds=(1,)) as sandbox:
        outcome = sandbox.run([GOOD])[0]
        assert outcome.outputs == GOOD_OUTPUTS
        assert "namespaces" not in outcome.layers


def test_the_result_says_which_layers_were_on() -> None:
    with Sandbox(lanes=1, seeds=(1,), namespaces="off") as sandbox:
        layers = sandbox.run([GOOD])[0].layers
    assert {"syntax", "limits", "user"} <= set(layers)
    assert "namespaces" not in layers


def test_namespaces_are_used_where_bubblewrap_works() -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed (Debian: apt install bubblewrap)")
    try:
        with Sandbox(lanes=1, seeds=(1,), namespaces="required") as sandbox:
            assert "namespaces" in sandbox.run([GOOD])[0].layers
    except InputError:
        pytest.skip("bubblewrap is installed, but may not make namespaces here")


def test_required_namespaces_are_not_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert launching.launches(1, "required") == []
    with Sandbox(lanes=1, namespaces="required") as sandbox, pytest.raises(InputError, match="bubblewrap if required"):
        sandbox.run([GOOD])


def test_several_callers_share_a_sandbox(sandbox: Sandbox) -> None:
    found: dict[int, list[str | None]] = {}

    def call(number: int) -> None:
        jobs = [Job(source=f"def f(a):\n    return [a, {number}]", inputs=(str(i),)) for i in range(5)]
        found[number] = [o.outputs[0].text for o in sandbox.run(jobs)]

    threads = [threading.Thread(target=call, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [f"[{i}, {n}]" for i in range(5)] for n in range(4)}


def test_nothing_is_left_behind() -> None:
    with Sandbox(lanes=2, seeds=(1, 2)) as sandbox:
        sandbox.run([GOOD] * 4)
        folders = [Path(w._folder.name) for lane in sandbox._workers for w in lane if w._folder is not None]
        processes = [w._process for lane in sandbox._workers for w in lane if w._process is not None]
        assert folders
        assert all(p.poll() is None for p in processes)
        assert [list(folder.iterdir()) for folder in folders] == [[] for _ in folders]
    assert all(p.poll() is not None for p in processes)
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize("options", [{"lanes": 0}, {"seeds": ()}])
def test_a_sandbox_without_lanes_or_seeds_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Sandbox(**options)


@pytest.mark.parametrize("options", [{"entry": "__init__"}, {"entry": "f.x"}, {"inputs": ("1",) * 101}, {"x": 1}])
def test_a_job_is_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Job(**options)


def test_throughput_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--programs", "20", "--lanes", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["checked_per_s"] > 0
    assert found["answers_per_s"] > 0
    assert (found["programs"], found["lanes"], found["seeds"]) == (20, 1, 4)
    main(["--programs", "20", "--lanes", "1"])
    assert "programs per second under 4 hash seeds" in capsys.readouterr().out
    assert sum("import os" in (job.source or "") for job in programs(40, True)) == 2
