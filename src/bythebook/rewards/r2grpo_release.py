"""The reward of R²GRPO as it was released, number for number, with its faults: for comparison with published figures.

arXiv 2505.22068; code `rlisml/R2GRPO` at 12e3aed, `r2grpo.py`. Four rewards are added:

| part        | is                                                                           | at most |
|-------------|------------------------------------------------------------------------------|---------|
| entities    | 0.7·F1 of the exact set of (text, type) + 0.3·overlap                        | 1       |
| relations   | 2·F1 of the exact set of (head, relation, tail)                              | 2       |
| relevance   | quoted pieces of the sentence: 0.1 + 0.1·(1 − length / sentence), sum ≤ 0.6  | 0.1     |
| rule        | words such as `pattern`, `because`, `step 1` in the thinking, ≤ 1.5          | 0.25    |
| consistency | share of the gold relations whose three texts occur in the thinking, ≤ 0.7   | 0.117   |
| format      | think block, then answer block, anywhere                                     | 0.5     |

The middle three are scaled by 0.5/3; together 3.967. Its faults, all kept:

1. Filler in the thinking is paid, whatever the answer: 0.85 with an empty one.
2. Where the gold has no relation, no answer at all earns the full 2 of `relations`.
3. Where the gold has no entity, the right, empty answer earns 0 of `entities`.
4. One item that can't be compared (a list in a list, a number) takes `relations` from the whole group.
5. JSON in a code fence is not read.
6. The gold of the first row of a batch is that of all.
7. The training data's order by difficulty is undone by the sampler: no matter of the reward.
8. Quotes count as often as they are repeated; `rule` counts words; `consistency` looks for gold texts, so that a copy
   of the sentence with the names of all relations is paid.
9. The prompt asks for `<reasoning>`, too, and nothing looks for it.

One departure: JSON that is too deep, or has a number too long, for Python's reader ends the original's run; here it is
not read. Gold is that of `ExtractionGold`, whose symmetric relations are in canonical order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, ClassVar, Literal, NamedTuple

from bythebook.errors import DataError
from bythebook.rewards.forms import EXTRACTION, Form
from bythebook.rewards.release_patterns import block, consistency_score, relevance_score, rule_score, well_tagged
from bythebook.schema import ExtractionGold
from bythebook.types import FinishReason, Noun, Part, Status, Verdict

__all__ = ["R2GRPORelease"]

_F1_OF_ENTITIES, _OVERLAP, _F1_OF_RELATIONS, _FORMAT = 0.7, 0.3, 2.0, 0.5
_SCALE = 0.5 / (0.8 + 1.5 + 0.7)
"""Of the reasoning; its cap of 0.5 never binds, since relevance is cut at 0.6."""


class _Gold(NamedTuple):
    """What a group is compared with: the first row's."""

    entities: list[list[Any]]
    relations: list[list[Any]]
    paid: bool
    """The release pays for more than format only where the prompt asks for entities and relations."""


class R2GRPORelease(Noun):
    """R²GRPO's reward as released. It reads the raw text, and a whole batch at once: see `judge_batch`.

    `batch` says what to do with several prompts in one batch (fault 6): `one`, refuse them, as the release's recipe
    has one prompt a step; `by_prompt`, judge the rollouts of each prompt as a group of their own; `first_gold`, do as
    the release would: the first gold counts for all.
    """

    reads: ClassVar[tuple[Form, ...]] = EXTRACTION

    batch: Literal["one", "by_prompt", "first_gold"] = "one"

    def judge(self, parsed: str, gold: ExtractionGold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict on a completion, its text as written, that is alone in its group."""
        return self.judge_batch([parsed], [gold], [finish_reason])[0]

    def judge_batch(
        self, texts: Sequence[str], golds: Sequence[ExtractionGold | None], finish_reasons: Sequence[FinishReason]
    ) -> list[Verdict]:
        """One verdict a completion. `TextReward` hands over the batch with which the trainer calls it.

        Completions without gold, or whose generation failed, are `unscored` and belong to no group. DataError if the
        batch holds several prompts and `batch` is `one`.
        """
        verdicts = [Verdict(value=None, status="unscored")] * len(texts)
        rows = [
            (i, gold)
            for i, (gold, reason) in enumerate(zip(golds, finish_reasons, strict=True))
            if gold is not None and reason != "error"
        ]
        groups = [list(group) for _, group in groupby(rows, key=lambda row: row[1])]
        if self.batch == "one" and len(groups) > 1:
            remedy = "rollout.prompts_per_step: 1, or the reward's option batch: by_prompt"
            raise DataError("the released R²GRPO reward takes the first gold for the whole batch", remedy=remedy)
        for group in [rows] if self.batch == "first_gold" and rows else groups:
            members = [(texts[i], gold, finish_reasons[i]) for i, gold in group]
            for (i, _), verdict in zip(group, _judge_group(members), strict=True):
                verdicts[i] = verdict
        return verdicts


def _judge_group(members: Sequence[tuple[str, ExtractionGold, FinishReason]]) -> list[Verdict]:
    """The verdicts on (text, gold, finish reason): sentences are each one's own, the answer is the first one's."""
    first = members[0][1]
    gold = _Gold(
        [[e.text, e.type] for e in first.extraction.entities],
        [[r.head.text, r.type, r.tail.text] for r in first.extraction.relations],
        first.sub_task == "end2end",
    )
    answers = [_read(block(text, "answer")) for text, _, _ in members]
    relations = [_f1(gold.relations, _items(answer, "rel")) for answer in answers]
    poisoned = next((i for i, f1 in enumerate(relations) if f1 is None), None)
    verdicts = []
    for (text, own, reason), answer, f1 in zip(members, answers, relations, strict=True):
        why = "" if poisoned is None else f"completion {poisoned + 1} of the group has an item that can't be compared"
        parts = {
            "entities": _entities(gold, answer),
            "relations": Part(value=_F1_OF_RELATIONS * (0.0 if poisoned is not None else f1 or 0.0), reason=why),
            **_reasoning(block(text, "think"), own.text, first),
        }
        if not gold.paid:
            parts = {}
        parts["format"] = Part(value=_FORMAT if well_tagged(text) else 0.0)
        value = sum(part.value for part in parts.values())
        verdicts.append(Verdict(value=value, status=_status(text, answer, gold, reason), parts=parts))
    return verdicts


def _read(answer: str) -> Any:
    """The JSON of an answer; None if there is none."""
    try:
        return json.loads(answer) if answer else None
    except (ValueError, RecursionError):
        return None


def _items(answer: Any, key: str) -> Any:
    """What stands under a key, whatever it is; no items if the answer is no object or has no such key."""
    return answer.get(key, []) if isinstance(answer, dict) else []


def _f1(gold: list[list[Any]], answered: Any) -> float | None:
    """F1 of two sets of items. None where an item of the answer can't be in a set: the original raises there."""
    if not gold and not answered:
        return 1.0
    if not gold or not answered:
        return 0.0
    wanted = {tuple(item) for item in gold}
    try:
        given = {tuple(item) for item in answered}
    except TypeError:
        return None
    right = len(wanted & given)
    return 2 * right / (len(wanted) + len(given))


def _entities(gold: _Gold, answer: Any) -> Part:
    answered = _items(answer, "ner")
    f1 = _f1(gold.entities, answered) if gold.entities else 0.0
    if f1 is None:
        return Part(value=0.0, reason="an item can't be compared")
    overlap = _overlap(gold.entities, answered) if gold.entities and answered else 0.0
    return Part(value=_F1_OF_ENTITIES * f1 + _OVERLAP * overlap)


def _overlap(gold: list[list[Any]], answered: Any) -> float:
    """Mean over gold entities of the best Jaccard index of word sets with any text of the answer, types ignored."""
    given = [set(text.split()) for text in map(_text_of, answered) if text is not None]
    best = [max((_jaccard(set(item[0].split()), words) for words in given), default=0.0) for item in gold]
    return sum(best) / len(best)


def _jaccard(a: set[str], b: set[str]) -> float:
    both = len(a | b)
    return len(a & b) / both if both else 0.0


def _text_of(item: Any) -> str | None:
    """The mention in an item of the answer, in any of the forms that the release reads."""
    if isinstance(item, list) and item:
        return str(item[0])
    if isinstance(item, dict):
        return next((item[key] for key in ("entity", "text") if isinstance(item.get(key), str)), None)
    return item if isinstance(item, str) else None


def _reasoning(thinking: str, sentence: str, gold: ExtractionGold) -> dict[str, Part]:
    scores = {"relevance": 0.0, "rule": 0.0, "consistency": 0.0}
    if thinking:
        wanted = [(r.head.text, r.type, r.tail.text) for r in gold.extraction.relations]
        scores = {
            "relevance": relevance_score(thinking, sentence),
            "rule": rule_score(thinking),
            "consistency": consistency_score(thinking, wanted),
        }
    return {name: Part(value=_SCALE * score, weight=_SCALE) for name, score in scores.items()}


def _status(text: str, answer: Any, gold: _Gold, reason: FinishReason) -> Status:
    """What the completion is, beside what it is paid."""
    if not isinstance(answer, dict):
        written = bool(block(text, "answer"))
        return "malformed" if written else "truncated" if reason == "length" else "no_answer"
    right = all(
        _f1(wanted, _items(answer, key)) == 1.0 for wanted, key in ((gold.entities, "ner"), (gold.relations, "rel"))
    )
    return "ok" if right else "wrong"
