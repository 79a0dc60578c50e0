"""A completion becomes a record: parsed, compared with the gold, and judged by the reward."""

from __future__ import annotations

import json
from typing import Any

from bythebook.records import Mention, Record
from bythebook.rewards import TextReward
from bythebook.rewards.answers import answer_of, digest, extraction_text, gold_text
from bythebook.rewards.r1_re import codes_of
from bythebook.schema import ExtractionGold, ExtractionSchema, Gold, Grammar
from bythebook.schema.answers import AnswerGold
from bythebook.schema.key_values import KeySchema, KeyValueGold
from bythebook.schema.table_answers import question_gold
from bythebook.types import Completion, Example, Extraction, Guideline

__all__ = ["TOO_LONG", "gold_in_record", "judged"]

TOO_LONG = "too_long: the prompt does not fit into the model's context"


def judged(
    example: Example,
    shown: Guideline,
    number: int,
    completion: Completion,
    judge: TextReward,
    keep_text: bool,
    constrained: bool = False,
) -> Record:
    """The record of sample `number` of an example that was asked under the guideline `shown`, `constrained` to it or
    not.

    Without `keep_text` nothing of the source text is kept; gold and answer of an extraction are digests then.
    """
    failed = completion.finish_reason == "error"
    mentions = tuple(Mention(id=e.id, start=e.span.start, end=e.span.end, type=e.type) for e in example.entities)
    found = _answered(example, shown, completion, judge, keep_text)
    if failed:
        found |= {"correct": None, "counts": None, "errors": (completion.error or TOO_LONG,)}
    return Record(
        schema="bythebook.prediction/1",
        id=example.id,
        domain=example.domain,
        sample=number,
        gold=gold_in_record(example, shown, keep_text=keep_text),
        completion=completion.text if keep_text else None,
        text=example.text if keep_text else None,
        entities=mentions if keep_text else None,
        finish_reason=completion.finish_reason,
        decoding="constrained" if constrained else None,
        tokens=completion.tokens,
        guideline=shown.hash,
        tags={name: value for name, value in example.meta.items() if not name.startswith("_")},
        **found,
    )


def gold_in_record(example: Example, shown: Guideline, *, keep_text: bool) -> str | None:
    """The gold as it stands in a record; None where nobody has annotated the example."""
    gold = _gold(example, shown)
    return None if gold is None else _kept(gold_text(gold), example, keep_text)


def _kept(text: str, example: Example, keep_text: bool) -> str:
    # Labels are the guideline's words, extractions are the source's.
    return text if keep_text or example.sub_task == "label" else digest(text)


def _gold(example: Example, shown: Guideline) -> Gold | ExtractionGold | AnswerGold | KeyValueGold | None:
    """The example's own gold under the guideline shown, which need not know it."""
    if example.sub_task == "label":
        return None if example.gold is None else Gold(label=example.gold, grammar=Grammar.of(shown))
    if example.sub_task == "question":
        return question_gold(example)
    if example.sub_task == "key_values":
        own = example.model_copy(update={"guideline": shown})
        return None if example.reference is None else KeyValueGold.of(own)
    if example.extraction is None:
        return None
    return ExtractionGold.of(example).model_copy(update={"extraction_schema": ExtractionSchema.of(shown)})


def _answered(
    example: Example, shown: Guideline, completion: Completion, judge: TextReward, keep_text: bool
) -> dict[str, Any]:
    """What a record says of the answer."""
    gold = _gold(example, shown)
    if gold is None:
        return _read(example, shown, completion, judge, keep_text)
    answer = answer_of(judge, completion.text, gold, completion.finish_reason)
    return {
        "answer": None if answer.text is None else _kept(answer.text, example, keep_text),
        "correct": answer.correct,
        "counts": answer.counts,
        "well_formed": answer.well_formed,
        "status": answer.verdict.status,
        "value": answer.verdict.value,
        "errors": answer.verdict.errors or answer.codes,
    }


def _read(
    example: Example, shown: Guideline, completion: Completion, judge: TextReward, keep_text: bool
) -> dict[str, Any]:
    """The same, where there is no gold."""
    unscored: dict[str, Any] = {"correct": None, "status": "unscored", "value": None}
    if example.sub_task == "label":
        parsed = judge.read_label(completion.text, Grammar.of(shown))
        label = parsed.label.text if parsed.label else None
        return {**unscored, "answer": label, "well_formed": parsed.well_formed, "errors": codes_of(parsed)}
    if example.sub_task == "question":
        said = judge.read_answer(completion.text)
        answer = _kept(said.text, example, keep_text) if said.text else None
        codes = tuple(d.code for d in said.deviations)
        return {**unscored, "answer": answer, "well_formed": said.well_formed, "errors": codes}
    if example.sub_task == "key_values":
        values = judge.read_key_values(completion.text, KeySchema.of(shown))
        answer = None if values.values is None else json.dumps(values.values, ensure_ascii=False)
        kept = None if answer is None else _kept(answer, example, keep_text)
        codes = tuple(d.code for d in values.deviations)
        return {**unscored, "answer": kept, "well_formed": values.well_formed, "errors": codes}
    blank = example.model_copy(update={"extraction": Extraction(), "guideline": shown})
    read = judge.read_extraction(completion.text, ExtractionGold.of(blank))
    answer = None
    if read.extraction is not None:
        text = extraction_text(ExtractionSchema.of(shown), read.extraction, example.sub_task)
        answer = _kept(text, example, keep_text)
    return {**unscored, "answer": answer, "well_formed": read.well_formed, "errors": codes_of(read)}
