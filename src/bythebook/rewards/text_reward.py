"""A reward on texts: what RL engines call. It reads the gold column, parses, and asks a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from pydantic import ValidationError

from bythebook.errors import DataError, ModelError
from bythebook.parsing import parse_tagged_answer
from bythebook.schema import Gold
from bythebook.types import FinishReason, Parsed, Verdict

__all__ = ["Judge", "TextReward", "completion_text"]

Message = Mapping[str, Any]
_THINKING_KEYS = ("reasoning_content", "reasoning", "thinking")


class Judge(Protocol):
    """A reward on what the parser has read."""

    def judge(self, parsed: Parsed, gold: Gold | None, finish_reason: FinishReason = "stop") -> Verdict: ...


@lru_cache(maxsize=65_536)
def _gold(text: str) -> Gold:
    try:
        return Gold.from_json(text)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise DataError(f"not a gold answer: {reason}", remedy="fill the gold column with Gold.to_json()") from None


def completion_text(completion: str | Sequence[Message]) -> str:
    """The text of a completion, given as a string or as chat messages.

    ModelError if the tokenizer's response parser has taken the thinking out of the content: then the form the model
    wrote can't be seen any more.
    """
    if isinstance(completion, str):
        return completion
    texts = []
    for message in completion:
        if any(message.get(key) for key in _THINKING_KEYS):
            raise ModelError(
                "the tokenizer's response parser splits the thinking from the answer",
                remedy="set tokenizer.response_template and tokenizer.response_schema to None",
            )
        content = message.get("content") or ""
        texts.append(content if isinstance(content, str) else "".join(part.get("text", "") for part in content))
    return "".join(texts)


class TextReward:
    """A judge under a name, callable as TRL calls a reward function; picklable if the judge is.

    `prefilled` says that the chat template ends the prompt with `<think>`.
    """

    def __init__(self, name: str, judge: Judge, prefilled: bool = False) -> None:
        self.name = name
        self.judge = judge
        self.prefilled = prefilled
        self.__name__ = name  # TRL names its columns after this

    def __repr__(self) -> str:
        return f"TextReward({self.name!r}, {self.judge!r}, prefilled={self.prefilled})"

    def parsed(self, completion: str, gold: str) -> Parsed:
        """The completion as read under the grammar of `gold`, a Gold as JSON. DataError if that is something else."""
        return parse_tagged_answer(completion, _gold(gold).grammar, prefilled=self.prefilled)

    def verdict(self, completion: str, gold: str | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict on one completion; `unscored` if `gold` is None. DataError if `gold` is no Gold as JSON."""
        if gold is None:
            return Verdict(value=None, status="unscored")
        return self.judge.judge(self.parsed(completion, gold), _gold(gold), finish_reason)

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[str | Sequence[Message]],
        gold: Sequence[str | None],
        finish_reason: Sequence[FinishReason | None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One value a completion, None where it could not be scored; further columns are ignored.

        `gold` holds each item's Gold as JSON. DataError if the columns differ in length.
        """
        reasons = [None] * len(completions) if finish_reason is None else finish_reason
        if not len(completions) == len(gold) == len(reasons):
            raise DataError(f"{len(completions)} completions, {len(gold)} golds, {len(reasons)} finish reasons")
        return [
            self.verdict(completion_text(completion), its_gold, reason or "stop").value
            for completion, its_gold, reason in zip(completions, gold, reasons, strict=True)
        ]
