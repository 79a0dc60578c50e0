"""What rewards share that ask a judge about what the gold column says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from bythebook.errors import DataError
from bythebook.rewards.text_reward import Message, completion_text
from bythebook.schema.answers import AnswerGold
from bythebook.schema.gold import read_gold
from bythebook.types import FinishReason, Verdict

__all__ = ["RewardOfGolds"]


class RewardOfGolds(ABC):
    """A reward as RL engines call one. `judges` says what it judges and `remedy` what to train on, for messages."""

    judges: str
    remedy: str
    name: str

    @abstractmethod
    def verdicts(
        self,
        completions: Sequence[str],
        golds: Sequence[str | None],
        finish_reasons: Sequence[FinishReason] | None = None,
    ) -> list[Verdict]:
        """One verdict a completion; `unscored` without a gold. DataError for a gold that is no question's."""

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[str | Sequence[Message]],
        gold: Sequence[str | None],
        finish_reason: Sequence[FinishReason | None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One value a completion, None where it could not be scored; further columns are ignored. DataError if the
        columns differ in length."""
        reasons: list[FinishReason] | None = None if finish_reason is None else [one or "stop" for one in finish_reason]
        texts = [completion_text(completion) for completion in completions]
        return self._values(self.verdicts(texts, gold, reasons), columns)

    def _values(self, verdicts: Sequence[Verdict], columns: Mapping[str, Any]) -> list[float | None]:
        """What is paid for these verdicts."""
        return [verdict.value for verdict in verdicts]

    def _read(self, gold: str | None) -> AnswerGold | None:
        if gold is None:
            return None
        found = read_gold(gold)
        if not isinstance(found, AnswerGold):
            raise DataError(f"the reward {self.name} judges {self.judges}, and the gold is none", remedy=self.remedy)
        return found
