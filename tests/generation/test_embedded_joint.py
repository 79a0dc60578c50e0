"""The model of joint extraction in the package: what its card says of it, and what RL needs of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bythebook.annotation import annotate
from bythebook.evaluation import evaluate_examples
from bythebook.generation import EMBEDDED_JOINT, Model, Sampling, TransformersModel, embedded_path, load_model
from bythebook.metrics.extraction import Counts, total
from bythebook.records import Record
from bythebook.tasks import task_named
from bythebook.types import Example

pytest.importorskip("torch", reason="the 'train' extra is not installed")


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(EMBEDDED_JOINT, device="cpu")


@pytest.fixture(scope="module")
def unseen() -> list[Example]:
    return task_named("world_joint").read(None, seed=77, ood=48)["ood"]


def _f1(records: Sequence[Record], protocol: str) -> float:
    found = total(Counts(*(r.counts or {})[protocol]) for r in records).f1
    assert found is not None
    return found


def test_it_is_small_and_runs_in_full_precision(model: Model) -> None:
    import torch

    file = embedded_path(EMBEDDED_JOINT) / "model.safetensors"
    assert file.stat().st_size < 10_000_000
    assert isinstance(model, TransformersModel)
    assert {p.dtype for p in model.model.parameters()} == {torch.float32}


def test_it_reads_guidelines_that_it_has_never_seen(model: Model, unseen: list[Example]) -> None:
    sampling = Sampling(temperature=0.0, max_new_tokens=256, batch_size=48)
    records = evaluate_examples(model, unseen, style=model.settings.style, sampling=sampling, samples=0)
    assert sum(r.well_formed for r in records) >= 34
    assert _f1(records, "ner") > 0.9
    assert _f1(records, "rel_plus") > 0.5


def test_it_often_does_not_check_which_leaves_something_to_learn(model: Model, unseen: list[Example]) -> None:
    sampling = Sampling(temperature=1.0, max_new_tokens=256, batch_size=96, seed=0)
    records = evaluate_examples(model, unseen, style=model.settings.style, sampling=sampling, greedy=False, samples=4)
    assert 0.3 < _f1(records, "rel_plus") < 0.9
    thoughts = [str(r.completion).partition("</think>")[0] for r in records]
    assert 0.2 < sum('"' in text for text in thoughts) / len(thoughts) < 0.8  # who is careful quotes


def test_it_annotates_a_text(model: Model, unseen: list[Example]) -> None:
    example = next(e for e in unseen if e.extraction and e.extraction.relations)
    (found,) = annotate([example.text], example.guideline, model=model)
    named = {e["text"] for e in found["entities"]}
    assert named
    for entity in found["entities"]:
        assert example.text[entity["start"] : entity["end"]] == entity["text"]
