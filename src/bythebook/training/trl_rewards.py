"""TRL's own reward functions, as a yardstick for ours: `trl` is imported in this room only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from trl.rewards import accuracy_reward, think_format_reward

__all__ = ["trl_accuracy", "trl_format"]


def trl_format(completions: Sequence[str]) -> list[float]:
    """TRL's check of `<think>…</think>` by a regular expression: 1 or 0."""
    return think_format_reward([[{"content": text}] for text in completions])


def trl_accuracy() -> Callable[[Sequence[str], Sequence[str]], list[float | None]] | None:
    """TRL's (completions, solutions) → 1 or 0 for a mathematical answer, judged by the package math-verify; None where
    that is not installed."""
    if find_spec("math_verify") is None:
        return None

    def judge(completions: Sequence[str], solutions: Sequence[str]) -> list[float | None]:
        return accuracy_reward([[{"content": text}] for text in completions], list(solutions))

    return judge
