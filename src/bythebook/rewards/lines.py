"""Completions of a JSONL file → verdicts, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from bythebook.errors import DataError, first_fault
from bythebook.records import read_jsonl
from bythebook.rewards.forms import FORM_OF
from bythebook.rewards.gold_rows import BadGoldError, gold_of_row
from bythebook.rewards.registry import reward
from bythebook.rewards.text_reward import TextReward
from bythebook.types import FinishReason

__all__ = ["reward_lines"]


def reward_lines(name: str, path: Path | str, **options: Any) -> Iterator[dict[str, Any]]:
    """The verdict on every completion of a file: `{"value", "status", "parts", "errors"}`, in the file's order.

    A row is `{"completion", "gold", "finish_reason"?}`. `gold` is a Gold or an ExtractionGold, as an object or as its
    JSON text; or a label such as `Cause-Effect(e1,e2)` beside `"labels"` (the relation names), `"no_relation"?` and
    `"symmetric"?`; or an extraction, `{"ner": [["text", "type"], …], "rel": [["head", "relation", "tail"], …]}`,
    beside `"text"` (the source), `"labels"`, `"entity_types"?` and the same; or an answer about a table,
    `{"table_task": "items" | "verdict" | "text", "table_answers": ["…"]}`; or absent, which leaves the completion
    unscored. Every completion is judged alone, also by a reward that looks at groups. `options` are those of `reward`.
    RecipeError for an unknown name or option, at once; DataError names the line of a bad row.
    """
    return _verdicts(reward(name, **options), path)


def _verdicts(judge: TextReward, path: Path | str) -> Iterator[dict[str, Any]]:
    line = 0
    for line, row in read_jsonl(path, strict=True):
        completion, reason = row.get("completion"), row.get("finish_reason") or "stop"
        if not isinstance(completion, str):
            raise DataError("no text under 'completion'", file=path, line=line)
        if reason not in get_args(FinishReason):
            remedy = f"one of {', '.join(get_args(FinishReason))}"
            raise DataError(f"unknown finish_reason {reason!r}", file=path, line=line, remedy=remedy)
        gold = _gold(judge, row, path, line)
        verdict = judge.verdict(completion, gold, cast(FinishReason, reason))
        yield verdict.model_dump(mode="json", include={"value", "status", "parts", "errors"})
    if not line:
        raise DataError("the file holds no completion", file=path, line=1)


def _gold(judge: TextReward, row: dict[str, Any], path: Path | str, line: int) -> str | None:
    """The gold of a row as JSON, if the judge can judge by it."""
    try:
        gold = gold_of_row(row)
    except ValidationError as error:
        where, what = first_fault(error)
        what = what.removeprefix("Value error, ")
        message = f"bad gold: {where}: {what}" if where else f"bad gold: {what}"
        remedy = 'a label such as "A-B(e1,e2)" beside "labels": ["A-B"]'
        raise DataError(message, file=path, line=line, remedy=remedy) from None
    except BadGoldError as error:
        raise DataError(f"bad gold: {error}", file=path, line=line, remedy=error.remedy) from None
    if gold is None:
        return None
    form = FORM_OF[type(gold)]
    if form not in judge.judge.reads:
        reads = " or ".join(judge.judge.reads)
        remedy = f"the reward {judge.name} needs a gold {reads}"
        raise DataError(
            f"bad gold: it is that of a{'n' if form == 'extraction' else ''} {form}",
            file=path,
            line=line,
            remedy=remedy,
        )
    return gold.to_json()
