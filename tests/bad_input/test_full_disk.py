"""A disk that is full: one message that names the file, nothing half written, and the same command goes on afterwards.

The system itself refuses what goes beyond so many bytes of a file (RLIMIT_FSIZE), in the middle of a write as a full
disk does: the error is `File too large` instead of `No space left on device`.
"""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bad_case import Ran, files_under, run_command

ROOM = (0, 1, 300, 1_000, 2_500, 7_000)
"""Bytes that a file may have at most."""
TINY = (
    "data.options.train=8", "data.options.id=4", "data.options.ood=4", "training.max_steps=2", "training.threads=1",
    "training.batch_size=4", "training.micro_batch_size=4", "evaluation.every=0", "evaluation.samples=0",
)  # fmt: skip


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Files that can't grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    """A folder with a guideline and sentences, in which commands run."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "examples" / "guideline.md", "guideline.md")
    shutil.copyfile(root / "examples" / "sentences.jsonl", "sentences.jsonl")
    return tmp_path


def told(ran: Ran, file: str) -> None:
    """The message names the file and what to do, and stands alone."""
    last = ran.err.splitlines()[-1]
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert last.startswith(f"bythebook: {file}"), last
    assert "File too large" in last or "can't be written" in last
    assert last.endswith(")"), last
    assert ran.err.count("bythebook: ") == 1


def nothing_half(folder: Path, whole: dict[str, bytes | str | None]) -> None:
    """Every file is the whole one, or JSON Lines that are whole."""
    for name, content in files_under(folder).items():
        assert ".part" not in name
        if isinstance(content, bytes) and content != whole.get(name):
            assert name.endswith(".jsonl"), name
            assert content == b"" or content.endswith(b"\n"), name
            for line in content.splitlines():
                assert isinstance(json.loads(line), dict)


COMMANDS = {
    "annotate": ("annotate", "sentences.jsonl", "-g", "guideline.md", "-o", "out/a.jsonl", "--json"),
    "evaluate": ("evaluate", "--task", "world", "--limit", "2", "--samples", "1", "-o", "out", "--json"),
    "split": ("data", "split", "corpus", "-o", "out", "--json"),
    "example": ("data", "example", "out", "--json"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_room_leaves_nothing_half_and_the_same_command_goes_on(
    name: str, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(("data", "example", "corpus", "--json"), monkeypatch, capsys).code == 0
    before = files_under(corpus)
    assert run_command(COMMANDS[name], monkeypatch, capsys).code == 0
    whole = files_under(corpus)
    shutil.rmtree("out")
    failures = 0
    for room in ROOM:
        with room_for(room):
            ran = run_command(COMMANDS[name], monkeypatch, capsys)
        if ran.code == 0:
            break
        failures += 1
        told(ran, "out" if name != "split" else "")
        nothing_half(corpus, whole)
        if name in ("split", "example"):
            assert files_under(corpus) == before
    assert failures >= 3
    if name in ("split", "example"):
        shutil.rmtree("out", ignore_errors=True)
    assert run_command(COMMANDS[name], monkeypatch, capsys).code == 0
    assert files_under(corpus) == whole


def test_no_room_for_a_page(corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(COMMANDS["evaluate"], monkeypatch, capsys).code == 0
    before = files_under(corpus)
    with room_for(1_000):
        ran = run_command(("report", "out"), monkeypatch, capsys)
    told(ran, "out/report.html")
    assert files_under(corpus) == before


def test_no_room_for_a_checkpoint_or_a_model_and_the_run_goes_on(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ("train", "r1_re_tiny_sft", *TINY, "-o", "run", "--json")
    for room, settings, file in (
        (1_000_000, (), "run: "),
        (1_000_000, ("training.save_steps=1",), "run/checkpoints: "),
        (4_000_000, ("training.save_steps=1",), "run/checkpoints: "),
    ):
        with room_for(room):
            told(run_command((*train, *settings), monkeypatch, capsys), file)
        left = files_under(corpus / "run")
        assert [name for name in left if "part" in name or name.endswith((".safetensors", ".pt"))] == []
        assert "model" not in left
    done = run_command((*train, "training.save_steps=1", "--resume"), monkeypatch, capsys)
    assert done.code == 0
    assert (corpus / "run" / "model" / "model.safetensors").is_file()
