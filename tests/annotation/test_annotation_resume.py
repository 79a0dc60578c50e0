"""An annotation that was killed goes on to the file of one that was not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from bythebook.annotation import annotate_file
from bythebook.generation import Model, ModelSettings, Progress, Sampling, load_model
from bythebook.prompts import marked_text
from bythebook.records import write_jsonl
from bythebook.tasks.world import examples
from bythebook.types import Completion


@pytest.fixture(scope="module")
def embedded() -> Model:
    return load_model("embedded")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Eight sentences of the world and a guideline for them."""
    from bythebook.guidelines import write_guideline

    folder = tmp_path_factory.mktemp("world")
    sentences = examples("id", 8, seed=1)
    write_jsonl(folder / "sentences.jsonl", [{"id": e.id, "text": marked_text(e)} for e in sentences])
    (folder / "guideline.md").write_text(write_guideline(sentences[0].guideline), encoding="utf-8")
    return folder / "sentences.jsonl", folder / "guideline.md"


@pytest.mark.parametrize("samples", [0, 3], ids=["greedy", "sampled"])
def test_a_kill_at_any_byte_changes_none(
    samples: int, embedded: Model, world: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bythebook.annotation._CHUNK", 3)
    sentences, guideline = world
    options = {"samples": samples, "max_new_tokens": 24, "batch_size": 4}
    annotate_file(sentences, tmp_path / "whole.jsonl", guideline, embedded, **options)
    data = (tmp_path / "whole.jsonl").read_bytes()
    assert data.count(b"\n") == 8
    for cut in [0, *random.Random(7).sample(range(1, len(data)), 6), len(data) - 1, len(data)]:
        file = tmp_path / f"{cut}.jsonl"
        file.write_bytes(data[:cut])
        found = annotate_file(sentences, file, guideline, embedded, **options)
        assert file.read_bytes() == data, cut
        assert (found["kept"], found["written"]) == (data[:cut].count(b"\n"), 8 - data[:cut].count(b"\n"))


class Failing:
    """Cannot answer about what is in `ill`."""

    name, prefilled, settings = "failing", False, ModelSettings()

    def __init__(self, ill: str, error: str | None, separate: bool) -> None:
        self.ill, self.error, self.separate = ill, error, separate
        self.asked = 0

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], sampling: Sampling, progress: Progress | None = None
    ) -> list[list[Completion]]:
        self.asked += len(prompts)
        good = Completion(text="<think>x</think><answer>none</answer>")
        bad = Completion(text="", finish_reason="error", error=self.error)
        return [[bad if self.ill in m["content"].rsplit("# Sentence", 1)[-1] else good] for (m,) in prompts]

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize(
    ("error", "separate", "asked"), [("HTTP 500", True, 2), ("HTTP 500", False, 7), (None, True, 0)]
)
def test_only_what_may_yet_succeed_is_asked_again(
    error: str | None, separate: bool, asked: int, fixtures: Path, tmp_path: Path
) -> None:
    folder, output = fixtures / "machines", tmp_path / "out.jsonl"
    first, second = Failing("boiler", error, separate), Failing("nothing", error, separate)
    assert annotate_file(folder / "sentences.jsonl", output, folder / "guideline.md", first)["failed"] >= 2
    annotate_file(folder / "sentences.jsonl", output, folder / "guideline.md", second)
    assert second.asked == asked
    assert output.read_text(encoding="utf-8").count("\n") == 7
