"""Evaluation of joint extraction: micro-F1 by protocol, invented relations, records that can be resumed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.evaluation import evaluate_examples, scores
from bythebook.evaluation.extraction_scoring import extraction_scores
from bythebook.generation import ModelSettings, Sampling
from bythebook.records import Record, read_records
from bythebook.schema import ExtractionSchema
from bythebook.tasks.world.joint import TASK
from bythebook.types import Completion, Example

SAMPLING = Sampling(temperature=1.0, max_new_tokens=64, n=1, seed=0, batch_size=8)


class Annotator:
    """Writes gold, or what `spoil` makes of it."""

    name, prefilled, settings = "annotator", False, ModelSettings()

    def __init__(self, examples: list[Example], spoil: Any = None) -> None:
        self.by_text = {e.text: e for e in examples}
        self.spoil = spoil or (lambda answer, number: answer)
        self.calls = 0

    def generate(self, prompts: Any, sampling: Sampling, progress: Any = None) -> list[list[Completion]]:
        self.calls += len(prompts)
        return [[self._answer(prompt[0]["content"], i) for i in range(sampling.n)] for prompt in prompts]

    def _answer(self, prompt: str, number: int) -> Completion:
        # The text stands last but for what is given with it.
        example = max((e for t, e in self.by_text.items() if t in prompt), key=lambda e: prompt.rindex(e.text))
        assert example.extraction is not None
        answer = json.loads(ExtractionSchema.of(example.guideline).write(example.extraction, example.sub_task))
        written = self.spoil(answer, number)
        return Completion(
            text=f"<think>so</think><answer>{json.dumps(written)}</answer>" if written else "none", tokens=9
        )

    def unknown_words(self, texts: Any) -> tuple[str, ...]:
        return ()


def examples(**options: Any) -> list[Example]:
    return TASK.read(None, ood=24, per_guideline=1, seed=7, **options)["ood"]


def ask(model: Annotator, rows: list[Example], **more: Any) -> list[Record]:
    return evaluate_examples(model, rows, style=model.settings.style, sampling=SAMPLING, **{"samples": 2, **more})


def test_gold_scores_one_in_every_protocol() -> None:
    rows = examples()
    found = scores(ask(Annotator(rows), rows))
    assert set(found["protocols"]) == {"ner", "rel", "rel_plus"}
    for protocol in found["protocols"].values():
        assert protocol["f1"] == protocol["avg_at_k"] == 1.0
        assert protocol["best_at_k"] == {"1": 1.0, "2": 1.0}
    assert found["greedy"] == found["avg_at_k"] == 1.0
    assert found["false_relation_rate"] == 0.0
    assert found["relation_free"] == sum(not e.extraction.relations for e in rows if e.extraction) > 3


@pytest.mark.parametrize("sub_task", ["ner", "re", "re_plus"])
def test_a_sub_task_is_scored_by_what_it_asks_for(sub_task: str) -> None:
    rows = examples(sub_tasks=sub_task)
    found = scores(ask(Annotator(rows), rows))
    (name,) = found["protocols"]
    assert name == ("ner" if sub_task == "ner" else "rel")
    assert found["protocols"][name]["f1"] == 1.0
    assert (found["false_relation_rate"] is None) == (sub_task in ("ner", "re"))


def test_invented_relations_cost_precision_and_are_counted_apart() -> None:
    rows = examples()

    def invent(answer: dict[str, Any], number: int) -> dict[str, Any]:
        if not answer["rel"] and len(answer["ner"]) > 1:
            relation = invent.relations[0]  # type: ignore[attr-defined]
            return {**answer, "rel": [[answer["ner"][0][0], relation, answer["ner"][1][0]]]}
        return answer

    unsigned = [r.model_copy(update={"head_types": (), "tail_types": ()}) for r in rows[0].guideline.relation_types]
    one = rows[0].guideline.model_copy(update={"relation_types": tuple(unsigned)})
    same = [r.model_copy(update={"guideline": one}) for r in rows]
    invent.relations = [r.name for r in one.relation_types]  # type: ignore[attr-defined]
    records = ask(Annotator(same, invent), same)
    greedy = [r for r in records if r.sample < 0]
    invented = [r for r in greedy if r.counts and r.counts["rel"][1]]
    assert invented
    assert all(not r.correct for r in invented)
    found = extraction_scores(greedy, [], 0)
    assert found["false_relation_rate"] == pytest.approx(len(invented) / found["relation_free"])
    assert found["protocols"]["rel"]["recall"] in (None, 1.0) or found["protocols"]["rel"]["precision"] < 1


def test_no_answer_misses_everything() -> None:
    rows = examples()
    found = scores(ask(Annotator(rows, lambda answer, number: None), rows))
    assert found["no_answer_rate"] == 1.0
    assert found["greedy"] == 0.0
    assert found["protocols"]["rel"]["recall"] == 0.0
    assert found["protocols"]["rel"]["precision"] is None
    assert found["false_relation_rate"] == 0.0


def test_the_best_of_k_samples_is_better_than_their_mean() -> None:
    rows, rng = examples(), random.Random(0)

    def sometimes(answer: dict[str, Any], number: int) -> dict[str, Any]:
        return answer if rng.random() < 0.5 else {"ner": [], "rel": []}

    found = scores(ask(Annotator(rows, sometimes), rows, samples=4))["protocols"]["ner"]
    assert found["best_at_k"]["1"] < found["best_at_k"]["2"] < found["best_at_k"]["4"] <= 1.0
    assert 0.3 < found["avg_at_k"] < 0.8


def test_licensed_texts_leave_digests_and_resume(tmp_path: Path) -> None:
    rows, file = examples(), tmp_path / "records.jsonl"
    first = ask(Annotator(rows), rows, resume_path=file, keep_text=False)
    text = file.read_text(encoding="utf-8")
    assert not any(e.text in text or f'"{x.text}"' in text for e in rows for x in e.extraction.entities if e.extraction)
    assert all(str(r.gold).startswith("sha256:") and r.gold == r.answer for r in first)
    again = Annotator(rows)
    assert ask(again, rows, resume_path=file, keep_text=False) == first
    assert sorted(r.to_line() for r in read_records(file)) == sorted(r.to_line() for r in first)
    assert again.calls == 0
    other = [r.model_copy(update={"extraction": rows[0].extraction}) for r in rows]
    with pytest.raises(InputError, match="another gold"):
        ask(Annotator(other), other, resume_path=file, keep_text=False)


def test_text_that_nobody_annotated_is_answered_and_not_scored() -> None:
    rows = examples()
    blank = [r.model_copy(update={"extraction": None}) for r in rows]
    records = ask(Annotator(rows), blank)
    assert all(r.gold is None and r.correct is None and r.counts is None for r in records)
    assert all(r.answer is not None and json.loads(r.answer)["ner"] is not None for r in records)
    assert "protocols" not in scores(records)
