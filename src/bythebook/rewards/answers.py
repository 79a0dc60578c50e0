"""An answer beside its gold, of either form: what a record says of a completion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bythebook.metrics.extraction import Counts, entity_counts, relation_counts, total, with_types
from bythebook.metrics.labels import same_label
from bythebook.parsing.verilog_answer import read_verilog_answer
from bythebook.rewards.circuits import check_ahead
from bythebook.rewards.free_answer import is_right
from bythebook.rewards.key_values import key_value_counts
from bythebook.rewards.r1_re import codes_of
from bythebook.rewards.registry import reward
from bythebook.rewards.table_answers import is_right_about
from bythebook.rewards.text_reward import BatchJudge, TextReward
from bythebook.schema import ExtractionGold, ExtractionSchema, Gold
from bythebook.schema.answers import AnswerGold
from bythebook.schema.circuits import CircuitGold
from bythebook.schema.key_values import KeyValueGold
from bythebook.schema.table_answers import TableGold
from bythebook.types import Extraction, FinishReason, SubTask, Verdict

__all__ = ["Answer", "Monitor", "answer_of", "counts_of", "digest", "extraction_text", "gold_text", "pooled_f1"]

AnyGold = Gold | ExtractionGold | AnswerGold | KeyValueGold


class Answer(NamedTuple):
    """A completion as read, compared and judged."""

    text: str | None
    """The label, or the extraction as JSON; None if there is no answer that can be read."""
    correct: bool
    counts: dict[str, tuple[int, int, int]] | None
    """Of an extraction: true positives, false positives, false negatives by protocol."""
    well_formed: bool
    verdict: Verdict
    codes: tuple[str, ...]


class Monitor:
    """Reads answers of either form, whatever is rewarded: labels as R1-RE has them, extractions as R²GRPO has them."""

    def __init__(
        self, *, prefilled: bool = False, tags: str = "think", circuits: Mapping[str, Any] | None = None
    ) -> None:
        """See `rewards.reward`; `circuits` are options of `codev_r1`: how hard test benches try."""
        self.prefilled = prefilled
        self._label = reward("r1_re", prefilled=prefilled)
        self._extraction = reward("r2grpo", prefilled=prefilled, tags=tags)
        self._answer = reward("free_answer", prefilled=prefilled)
        self._key_values = reward("medical_vie", prefilled=prefilled, tags=tags)
        self._table = reward("table_r1", prefilled=prefilled)
        self._circuit = reward("codev_r1", prefilled=prefilled, **(circuits or {}))

    def ahead(self, rows: Iterable[tuple[str, object]]) -> None:
        """Rows (completion, gold) that will be looked at: what is faster for many together is done now."""
        check_ahead(self._circuit, rows)

    def __call__(self, completion: str, gold: AnyGold, finish_reason: FinishReason = "stop") -> Answer:
        """The answer beside its gold."""
        if isinstance(gold, KeyValueGold):
            return answer_of(self._key_values, completion, gold, finish_reason)
        if isinstance(gold, CircuitGold):
            return answer_of(self._circuit, completion, gold, finish_reason)
        asked = self._table if isinstance(gold, TableGold) else self._answer
        free = asked if isinstance(gold, AnswerGold) else self._extraction
        return answer_of(self._label if isinstance(gold, Gold) else free, completion, gold, finish_reason)


def pooled_f1(counts: Iterable[Mapping[str, tuple[int, int, int]] | None]) -> float | None:
    """Micro-F1 over entities and relations of some answers, arguments' types left aside; None where nothing was asked
    and nothing named."""
    kept = [c for found in counts if found for name, c in found.items() if name != "rel_plus"]
    return total(Counts(*c) for c in kept).f1


def answer_of(judge: TextReward, completion: str, gold: AnyGold, finish_reason: FinishReason = "stop") -> Answer:
    """What `completion` says, whether it is right, and what the reward pays. DataError if the reward does not judge by
    golds of this form."""
    if isinstance(gold, Gold):
        parsed = judge.read_label(completion, gold.grammar)
        label = gold.grammar.canonical(gold.label)
        text = parsed.label.text if parsed.label else None
        verdict = judge.judge.judge(parsed, gold, finish_reason)
        return Answer(text, same_label(parsed.label, label), None, parsed.well_formed, verdict, codes_of(parsed))
    if isinstance(gold, TableGold):
        table = judge.read_table(completion)
        text = table.found[0].written if len(table.found) == 1 else None
        verdict = judge.judge.judge(table, gold, finish_reason)
        codes = tuple(dict.fromkeys(d.code for d in table.deviations))
        return Answer(text, is_right_about(table, gold), None, table.well_formed, verdict, codes)
    if isinstance(gold, CircuitGold):
        return _circuit(judge, completion, gold, finish_reason)
    if isinstance(gold, AnswerGold):
        said = judge.read_answer(completion)
        whole_text = isinstance(judge.judge, BatchJudge)
        verdict = (
            judge.verdict(completion, gold.to_json(), finish_reason)
            if whole_text
            else judge.judge.judge(said, gold, finish_reason)
        )
        codes = tuple(d.code for d in said.deviations)
        return Answer(said.text or None, is_right(said.text, gold), None, said.well_formed, verdict, codes)
    if isinstance(gold, KeyValueGold):
        return _key_values(judge, completion, gold, finish_reason)
    read = judge.read_extraction(completion, gold)
    if isinstance(judge.judge, BatchJudge):
        verdict = judge.verdict(completion, gold.to_json(), finish_reason)
    else:
        verdict = judge.judge.judge(read, gold, finish_reason)
    counts = counts_of(read.extraction or Extraction(), gold)
    right = read.extraction is not None and all(c.fp == c.fn == 0 for c in counts.values())
    text = None if read.extraction is None else extraction_text(gold.extraction_schema, read.extraction, gold.sub_task)
    whole = {name: (int(c.tp), int(c.fp), int(c.fn)) for name, c in counts.items()}
    return Answer(text, right, whole, read.well_formed, verdict, codes_of(read))


def _circuit(judge: TextReward, completion: str, gold: CircuitGold, finish_reason: FinishReason) -> Answer:
    """Right is what the test bench accepts, and it is what is paid."""
    read = read_verilog_answer(completion, prefilled=judge.prefilled)
    verdict = judge.verdict(completion, gold.to_json(), finish_reason)
    text = None if read.code is None else read.code.strip() or None
    codes = tuple(dict.fromkeys(d.code for d in read.deviations))
    return Answer(text, verdict.correct, None, read.well_formed, verdict, codes)


def _key_values(judge: TextReward, completion: str, gold: KeyValueGold, finish_reason: FinishReason) -> Answer:
    read = judge.read_key_values(completion, gold.key_schema)
    verdict = judge.judge.judge(read, gold, finish_reason)
    found = key_value_counts(read, gold)
    counts = {"key_values": (int(found.tp), int(found.fp), int(found.fn))}
    text = None if read.values is None else json.dumps(read.values, ensure_ascii=False)
    right = read.values is not None and found.fp == found.fn == 0
    return Answer(text, right, counts, read.well_formed, verdict, tuple(d.code for d in read.deviations))


def counts_of(answer: Extraction, gold: ExtractionGold) -> dict[str, Counts]:
    """Counts of what the sub-task asks for, by protocol: `ner`, `rel`, and of `end2end` `rel_plus`, too."""
    schema, wanted, found = gold.extraction_schema, gold.extraction, with_types(answer)
    keys, counts = schema.keys(gold.sub_task), dict[str, Counts]()
    if "ner" in keys:
        counts["ner"] = entity_counts(found.entities, wanted.entities)
    if "rel" in keys:
        counts["rel"] = relation_counts(found.relations, wanted.relations, symmetric=schema.symmetric)
    if gold.sub_task == "end2end":
        typed = with_types(wanted).relations
        counts["rel_plus"] = relation_counts(found.relations, typed, typed=True, symmetric=schema.symmetric)
    return counts


def gold_text(gold: AnyGold) -> str:
    """The gold as a record has it."""
    if isinstance(gold, AnswerGold):
        return gold.reference
    if isinstance(gold, KeyValueGold):
        return gold.write()
    if isinstance(gold, Gold):
        return gold.grammar.canonical(gold.label).text
    return extraction_text(gold.extraction_schema, gold.extraction, gold.sub_task)


def extraction_text(schema: ExtractionSchema, extraction: Extraction, sub_task: SubTask) -> str:
    """An extraction as JSON; where an entity lacks a type that it needs, a digest that tells it from others."""
    try:
        return schema.write(extraction, sub_task)
    except ValueError:
        return digest(extraction.model_dump_json())


def digest(text: str) -> str:
    """Stands for a text that is not kept."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]
