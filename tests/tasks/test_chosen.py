"""Rejection-sampling fine-tuning: records of completions as what is imitated."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.recipe import load_recipe
from bythebook.records import Record, write_jsonl
from bythebook.tasks import task_named
from bythebook.tasks.mixture import training_examples, training_target
from bythebook.types import Example


def _record(name: str, completion: str | None, finish: str = "stop") -> Record:
    return Record(
        schema="bythebook.prediction/1", id=name, domain="d", well_formed=True, status="ok", completion=completion,
        finish_reason=finish,
    )  # fmt: skip


@pytest.fixture
def sentences() -> list[Example]:
    return task_named("world_joint").read(None, train=3)["train"]


def test_every_different_completion_is_imitated_once(sentences: list[Example], tmp_path: Path) -> None:
    one, two, three = (e.id for e in sentences)
    file = tmp_path / "kept.jsonl"
    rows = [(two, "b"), (one, "a"), (two, "c"), (two, "b"), ("another", "x")]
    write_jsonl(file, [*(_record(name, text) for name, text in rows), _record(three, "cut o", "length")])
    recipe = load_recipe("scier_sft_tiny", [f"data.target={file}"])
    found, target = training_examples(recipe, sentences), training_target(recipe)
    assert [(e.id, target(e, random.Random(0))) for e in found] == [(one, "a"), (two, "b"), (two, "c")]
    assert [e.extraction for e in found] == [sentences[0].extraction, *[sentences[1].extraction] * 2]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([_record("another", "x")], "no whole completion of the training examples"),
        ([_record("joint-train-0-0", None)], "keeps no completion"),
    ],
    ids=["of other sentences", "slim"],
)
def test_records_that_are_of_no_use_are_refused(
    rows: list[Record], said: str, sentences: list[Example], tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "kept.jsonl", rows)
    with pytest.raises(DataError, match=said):
        training_examples(load_recipe("scier_sft_tiny", [f"data.target={tmp_path / 'kept.jsonl'}"]), sentences)


def test_a_file_that_is_not_there_is_named(sentences: list[Example], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: can't be read"):
        training_examples(load_recipe("scier_sft_tiny", [f"data.target={tmp_path / 'none.jsonl'}"]), sentences)
