"""Circuits are checked by a simulator, which is slow to start: many together, before they are looked at one by one."""

from __future__ import annotations

from collections.abc import Iterable

from bythebook.hardware import need_simulator
from bythebook.rewards.text_reward import TextReward
from bythebook.schema.circuits import CIRCUIT, CircuitGold
from bythebook.types import Example

__all__ = ["check_ahead", "need_for"]


def check_ahead(judge: TextReward, rows: Iterable[tuple[str, object]]) -> None:
    """Check the completions of rows (completion, gold) whose gold is a circuit, all together; the verdicts that `judge`
    gives on them afterwards find what was found (`hardware.checked`). Other rows are passed over."""
    circuits = [(text, gold.to_json()) for text, gold in rows if isinstance(gold, CircuitGold)]
    if circuits:
        texts, golds = zip(*circuits, strict=True)
        judge([], texts, golds)


def need_for(examples: Iterable[Example]) -> None:
    """InputError where circuits are asked for and there is no simulator: before hours of work are lost."""
    if any(CIRCUIT in example.meta for example in examples):
        need_simulator()
