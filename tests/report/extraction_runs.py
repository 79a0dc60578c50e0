"""Runs of joint extraction as an evaluation leaves them: an annotator who makes every mistake in turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from report_runs import write_json

from bythebook.evaluation.judged import judged
from bythebook.guidelines import keep_guidelines
from bythebook.records import Record, write_jsonl
from bythebook.rewards import reward
from bythebook.schema import ExtractionSchema
from bythebook.tasks import task_named
from bythebook.types import Completion, Example, Span

__all__ = ["ITEM_FAULTS", "MISTAKES", "asked", "extraction_records", "extraction_run"]

ITEM_FAULTS = (
    "missed_entity",
    "invented_entity",
    "entity_type",
    "missed_relation",
    "invented_relation",
    "relation_type",
    "direction",
)
MISTAKES = ("nothing", *ITEM_FAULTS, "silent", "garbled")

Answer = dict[str, list[list[str]]]


def spoiled(example: Example, answer: Answer, mistake: str) -> Answer | None:
    """The answer with that mistake and no other; None where it can't be made of this one."""
    entities, relations = [list(e) for e in answer["ner"]], [list(r) for r in answer["rel"]]
    types = [t.name for t in example.guideline.entity_types]
    names = [r.name for r in example.guideline.relation_types]
    pairs = {frozenset((r[0], r[2])) for r in relations}
    free = [(a[0], b[0]) for a in entities for b in entities if a != b and frozenset((a[0], b[0])) not in pairs]
    match mistake:
        case "missed_entity" if entities:
            entities.pop()
        case "invented_entity":
            entities.append(["the sky above", types[0]])
        case "entity_type" if entities:
            entities[0][1] = next(t for t in types if t != entities[0][1])
        case "missed_relation" if relations:
            relations.pop()
        case "invented_relation" if free:
            relations.append([free[0][0], names[0], free[0][1]])
        case "relation_type" if relations:
            relations[0][1] = next(n for n in names if n != relations[0][1])
        case "direction" if relations:
            relations[0].reverse()
        case "silent" if entities:
            entities, relations = [], []
        case "nothing":
            pass
        case _:
            return None
    return {"ner": entities, "rel": relations}


def asked(split: str, n: int) -> list[Example]:
    """Sentences of the joint world; one has a character beyond the basic plane before its mentions."""
    rows = task_named("world_joint").read(None, **{split: n})[split]
    first = rows[0]
    assert first.extraction is not None
    moved = [
        e.model_copy(update={"span": e.span and Span(start=e.span.start + 2, end=e.span.end + 2)})
        for e in first.extraction.entities
    ]
    extraction = first.extraction.model_copy(update={"entities": tuple(moved)})
    return [first.model_copy(update={"text": f"\U0001d11e {first.text}", "extraction": extraction}), *rows[1:]]


def _written(example: Example, mistake: str) -> tuple[str, Completion]:
    """The mistake that was made, which is none where that one can't be, and the completion."""
    assert example.extraction is not None
    gold = json.loads(ExtractionSchema.of(example.guideline).write(example.extraction, example.sub_task))
    if mistake == "garbled":
        return mistake, Completion(text="<think>I see</think><answer>nothing much</answer>", tokens=7)
    answer = spoiled(example, gold, mistake)
    made, answer = ("nothing", gold) if answer is None else (mistake, answer)
    text = f"<think>so it is</think><answer>{json.dumps(answer, ensure_ascii=False)}</answer>"
    return made, Completion(text=text, tokens=len(text.split()))


def extraction_records(examples: Sequence[Example], samples: int = 2, *, keep_text: bool = True) -> list[Record]:
    """A greedy answer and samples of every text; the tag `mistake` says what was made wrong."""
    judge, records = reward("r2grpo"), []
    for i, example in enumerate(examples):
        for sample in range(-1, samples):
            made, completion = _written(example, MISTAKES[(i + 3 * (sample + 1)) % len(MISTAKES)])
            told = example.model_copy(update={"meta": {**example.meta, "mistake": made}})
            records.append(judged(told, example.guideline, sample, completion, judge, keep_text))
    return records


def extraction_run(path: Path, n: int = 60, **options: Any) -> Path:
    """An evaluation of the joint world, in and out of domain."""
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "evaluation.json", {"model": "annotator"})
    for split in ("id", "ood"):
        examples = asked(split, n)
        write_jsonl(path / f"world_joint.{split}.jsonl", extraction_records(examples, **options))
        keep_guidelines(path, (e.guideline for e in examples))
    return path
