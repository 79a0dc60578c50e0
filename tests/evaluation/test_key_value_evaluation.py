"""Values under keys from a model's answer to a record and its scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.evaluation import evaluate_examples, scores
from bythebook.generation import Constraint, ModelSettings, Progress, Sampling
from bythebook.metrics.key_value_scores import key_value_scores
from bythebook.prompts import PromptStyle, render
from bythebook.records import Record
from bythebook.report.extraction_scores import extraction_scores
from bythebook.rewards import reward
from bythebook.schema.gold import gold_of
from bythebook.studies.show import check_data, sample_rows
from bythebook.tasks import task_named
from bythebook.types import Completion, Example

STYLE = PromptStyle(template="short")


class FirstKeyAlone:
    """Knows the gold, and gives of it the first key at temperature 0, else all."""

    name = "scripted"
    prefilled = False
    settings = ModelSettings()

    def __init__(self, examples: Sequence[Example]) -> None:
        self.known = {render(e, STYLE)[0]["content"]: json.loads(e.reference or "{}") for e in examples}

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], sampling: Sampling, progress: Progress | None = None
    ) -> list[list[Completion]]:
        return [[Completion(text=self.said(m["content"], sampling))] * sampling.n for (m,) in prompts]

    def said(self, prompt: str, sampling: Sampling) -> str:
        values = self.known[prompt]
        kept = dict(list(values.items())[:1]) if sampling.greedy else values
        return f"<think>x</think><answer>{json.dumps(kept)}</answer>"

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


def records(examples: Sequence[Example], **options: Any) -> list[Record]:
    sampling = Sampling(temperature=1.0)
    model: Any = FirstKeyAlone(examples)
    return evaluate_examples(model, examples, style=STYLE, sampling=sampling, samples=2, **options)


def test_records_have_values_counts_and_the_reward() -> None:
    examples = task_named("world_forms").read(None, id=6)["id"]
    found = records(examples)
    greedy = [r for r in found if r.sample == -1]
    assert all(r.counts is not None and r.counts["key_values"][:2] == (1, 0) for r in greedy)
    assert all(r.value == 1.0 and r.correct and r.status == "ok" for r in found if r.sample >= 0)
    figures = scores(found)
    assert figures["protocols"]["key_values"]["precision"] == 1.0
    assert 0.0 < figures["protocols"]["key_values"]["recall"] < 1.0
    assert figures["avg_at_k"] == 1.0
    again = key_value_scores([(json.loads(r.answer or "{}"), json.loads(r.gold or "{}")) for r in greedy])
    assert again["f1"] == figures["protocols"]["key_values"]["f1"]
    assert extraction_scores(found) is not None


def test_records_without_texts_keep_digests_and_verdicts() -> None:
    examples = task_named("world_forms").read(None, id=2)["id"]
    for r in records(examples, keep_text=False):
        assert (r.text, r.completion) == (None, None)
        assert (r.gold or "").startswith("sha256:")
        assert (r.answer or "").startswith("sha256:")
        assert r.counts is not None


def test_the_published_reward_and_documents_nobody_annotated() -> None:
    (example,) = task_named("world_forms").read(None, id=1)["id"]
    blank = example.model_copy(update={"reference": None, "id": "blank", "text": "PHARMACY SLIP"})
    found = records([example, blank], reward_name="medical_vie_paper")
    assert [r.value for r in found if r.id == example.id and r.sample >= 0] == [2.0, 2.0]
    assert {(r.status, r.value, r.correct, r.gold) for r in found if r.id == "blank"} == {
        ("unscored", None, None, None)
    }
    assert all(r.answer == "{}" and r.well_formed for r in found if r.id == "blank")


def test_answers_under_keys_are_not_constrained() -> None:
    (example,) = task_named("world_forms").read(None, id=1)["id"]
    with pytest.raises(InputError, match="not constrained"):
        Constraint.of(example)


def test_rows_are_shown_and_checked(fixtures: Path) -> None:
    shown = sample_rows("world_forms", None, 1)
    assert len(shown) == 3
    assert all(set(json.loads(row["gold"])) for row in shown)
    assert check_data("sroie", fixtures / "sroie")["rows"] == {"train": 7, "test": 3}


def test_the_reward_takes_the_tag_sets_of_recipes() -> None:
    (example,) = task_named("world_forms").read(None, id=1)["id"]
    text = f"<plan>look</plan><answer>{example.reference}</answer>"
    gold = gold_of(example)
    assert gold is not None
    assert reward("medical_vie", tags="plan").verdict(text, gold.to_json()).value == 1.0
    assert reward("medical_vie").verdict(text, gold.to_json()).value == 0.0
