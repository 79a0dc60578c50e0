"""Completions of a JSONL file → verdicts, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from bythebook.errors import DataError
from bythebook.records import read_jsonl
from bythebook.rewards.registry import reward
from bythebook.rewards.text_reward import TextReward
from bythebook.schema import Gold, Grammar
from bythebook.types import FinishReason

__all__ = ["reward_lines"]


def reward_lines(name: str, path: Path | str, **options: Any) -> Iterator[dict[str, Any]]:
    """The verdict on every completion of a file: `{"value", "status", "parts", "errors"}`, in the file's order.

    A row is `{"completion", "gold", "finish_reason"?}`. `gold` is a Gold, as an object or as its JSON text; or a label
    such as `Cause-Effect(e1,e2)` beside `"labels"` (the relation names), `"no_relation"?` and `"symmetric"?`; or
    absent, which leaves the completion unscored. `options` are those of `reward`. RecipeError for an unknown name or
    option, at once; DataError names the line of a bad row.
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
        try:
            gold = _read_gold(row)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")
            message = f"bad gold: {where}: {said}" if where else f"bad gold: {said}"
            remedy = 'a label such as "A-B(e1,e2)" beside "labels": ["A-B"]'
            raise DataError(message, file=path, line=line, remedy=remedy) from None
        except _BadGoldError as error:
            raise DataError(f"bad gold: {error}", file=path, line=line, remedy=error.remedy) from None
        verdict = judge.verdict(completion, None if gold is None else gold.to_json(), cast(FinishReason, reason))
        yield verdict.model_dump(mode="json", include={"value", "status", "parts", "errors"})
    if not line:
        raise DataError("the file holds no completion", file=path, line=1)


class _BadGoldError(Exception):
    """A gold answer that can't be used; the reader of the file adds where it stands."""

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


def _read_gold(row: dict[str, Any]) -> Gold | None:
    written = row.get("gold")
    if written is None:
        return None
    if isinstance(written, dict):
        gold = Gold.model_validate(written)
    elif isinstance(written, str):
        gold = Gold.from_json(written) if written.lstrip().startswith("{") else _from_label(written, row)
    else:
        raise _BadGoldError("neither an object nor a text")
    # A gold answer outside its own grammar could never be given, or only by an answer that breaks the guideline.
    if not gold.grammar.knows(gold.label):
        raise _BadGoldError(f"{gold.label} is not among its own labels")
    return gold


def _from_label(text: str, row: dict[str, Any]) -> Gold:
    if "labels" not in row:
        raise _BadGoldError(
            f"{text!r} stands without its label set", remedy='add "labels": ["Cause-Effect", …], the relation names'
        )
    grammar = Grammar(relations=row["labels"], symmetric=row.get("symmetric") or (), no_relation=row.get("no_relation"))
    label = grammar.read(text)
    if label is None:
        raise _BadGoldError(
            f"{text!r} is no answer", remedy="write Relation(e1,e2), Relation(e2,e1) or the no_relation label"
        )
    return Gold(label=label, grammar=grammar)
