"""Sides in processes of their own: turns, memory, and what happens when one fails."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from bythebook.errors import InputError
from bythebook.studies.bench_sides import Side, Turn, Turns, TurnsOver, medians, opened, take_turns

_MODULE = """
    import os, time

    def logs(turns, *, name, log, before=0):
        held = bytearray(before)
        del held
        while True:
            turns.begin()
            with open(log, "a") as file:
                file.write(name)
            turns.end(name * 2)

    def allocates(turns, *, megabytes, before):
        held = bytes(os.urandom(1)) * (before * 1_000_000)
        while True:
            turns.begin()
            taken = bytes(os.urandom(1)) * (megabytes * 1_000_000)
            del taken
            turns.end(len(held))

    def sleeps(turns, *, seconds):
        for each in seconds:
            turns.begin()
            time.sleep(each)
            turns.end()
        turns.begin()

    def prints(turns):
        turns.begin()
        print("of the side")
        os.write(1, b"of a library")
        turns.end()
        turns.begin()

    def fails(turns):
        turns.begin()
        raise ValueError("no such\\nthing")

    def dies(turns):
        turns.begin()
        os._exit(9)
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sides")
    (folder / "some_sides.py").write_text(dedent(_MODULE), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "some_sides:"


def test_sides_work_in_turns_and_the_first_rounds_are_not_measured(work: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ExitStack() as stack:
        sides = [opened(stack, work + "logs", name=name, log=str(log)) for name in "ab"]
        measured = take_turns(sides, 3, warm_up=2)
    assert log.read_text(encoding="utf-8") == "ab" * 5
    assert [[turn.value for turn in turns] for turns in measured] == [["aa"] * 3, ["bb"] * 3]


def test_a_side_that_took_enough_time_rests(work: str) -> None:
    def turns_of(*seconds: float) -> int:
        with ExitStack() as stack:
            slow = opened(stack, work + "sleeps", seconds=[*seconds, *[0.0] * 5])
            quick = opened(stack, work + "sleeps", seconds=[0.0] * 9)
            measured = take_turns([slow, quick], 4, enough=0.25)
        assert len(measured[1]) == 4
        return len(measured[0])

    assert turns_of(0.0) == 4
    assert turns_of(0.0, 0.2, 0.1) == 2
    assert turns_of(0.0, 0.3) == 1
    assert turns_of(0.3) == 4  # the turn to warm up doesn't count


def test_what_is_measured_is_the_work(work: str) -> None:
    with Side(work + "sleeps", seconds=[0.0, 0.3]) as side:
        side.load()
        first, second = side.turn(), side.turn()
    assert second.seconds >= 0.3
    assert first.seconds < second.seconds


def test_the_median_is_taken_of_each_side() -> None:
    seconds = [[1.0, 9.0, 2.0], [5.0, 4.0, 60.0]]
    assert medians([[Turn(s, 0, None) for s in side] for side in seconds]) == [2.0, 5.0]


def test_memory_is_the_most_beyond_what_was_held_when_loaded(work: str) -> None:
    with Side(work + "allocates", megabytes=40, before=100) as side:
        assert side.turn().value == 100_000_000
        assert 35_000_000 < side.peak < 80_000_000


def test_without_the_kernels_peak_memory_is_sampled() -> None:
    """In a process of its own: one that has run other tests gives memory back meanwhile."""
    pytest.importorskip("psutil")
    program = """
import sys, time
from pathlib import Path
from bythebook.studies import bench_sides
bench_sides._SELF = Path("none")
memory = bench_sides.ProcessMemory()
memory.start()
taken = b"x" * 60_000_000
end = time.monotonic() + 60
while memory.peak() < 50_000_000 and time.monotonic() < end:
    time.sleep(0.01)
print(memory.peak(), len(taken))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    peak, taken = map(int, done.stdout.split())
    assert 50_000_000 < peak < 200_000_000
    assert taken == 60_000_000


def test_standard_output_of_a_side_is_not_that_of_the_bench(work: str, capfd: pytest.CaptureFixture[str]) -> None:
    with Side(work + "prints") as side:
        side.turn()
    out, err = capfd.readouterr()
    assert out == ""
    assert "of a library" in err


def test_a_side_that_fails_says_why_in_one_line(work: str) -> None:
    with Side(work + "fails") as side, pytest.raises(InputError, match="ValueError: no such thing"):
        side.turn()


def test_a_side_that_dies_is_an_error(work: str) -> None:
    with Side(work + "dies") as side, pytest.raises(InputError, match=r"exit code 9.*smaller sizes"):
        side.turn()


def test_a_side_does_not_outlive_a_bench_that_was_killed(work: str, tmp_path: Path) -> None:
    (tmp_path / "bench.py").write_text(
        "import sys, time\n"
        "from bythebook.studies.bench_sides import Side\n"
        "if __name__ == '__main__':\n"
        f"    sys.path.insert(0, {sys.path[0]!r})\n"
        f"    side = Side({work + 'sleeps'!r}, seconds=[300])\n"
        "    side.load()\n"
        "    side._connection.send('go')\n"
        "    print(side._process.pid, flush=True)\n"
        "    time.sleep(300)\n",
        encoding="utf-8",
    )
    bench = subprocess.Popen([sys.executable, "bench.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert bench.stdout
    side = int(bench.stdout.readline())
    assert _runs(side)
    bench.kill()
    bench.communicate()
    end = time.monotonic() + 30
    while _runs(side) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _runs(side)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_side_whose_bench_is_gone_ends() -> None:
    class Gone:
        def send(self, _: object) -> None: ...

        def recv(self) -> str:
            raise EOFError

    turns = Turns(Gone())  # type: ignore[arg-type]
    with pytest.raises(TurnsOver):
        turns.begin()
