from __future__ import annotations

from typing import Any

import pytest
import torch

from bythebook.objectives.aggregation import Aggregation, aggregate

VALUES = torch.tensor([[1.0, 2.0, 3.0, 99.0], [10.0, 99.0, 99.0, 99.0], [99.0, 99.0, 99.0, 99.0]])
MASK = torch.tensor([[1.0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("grpo", {}, (2 + 10 + 0) / 3),
        ("grpo", {"micro_batches": 2}, (2 + 10 + 0) / 6),
        ("bnpo", {}, 16 / 4),
        ("bnpo", {"micro_batches": 2}, 16 / 8),
        ("dr_grpo", {"max_length": 8}, 16 / 24),
        ("dr_grpo", {"max_length": 8, "micro_batches": 2}, 16 / 48),
        ("dapo", {}, 16 / 4),
        ("dapo", {"step_tokens": 10.0}, 1.6),
        ("dapo", {"step_tokens": 10.0, "micro_batches": 2}, 1.6),
    ],
)
def test_by_hand(kind: Aggregation, options: dict[str, Any], expected: float) -> None:
    assert aggregate(VALUES, MASK, kind, **options).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["grpo", "bnpo", "dr_grpo", "dapo"])
def test_one_value_a_completion_counts_at_each_of_its_tokens(kind: Aggregation) -> None:
    values = torch.tensor([[3.0], [5.0], [7.0]])
    assert torch.equal(
        aggregate(values, MASK, kind, max_length=4), aggregate(values.expand(3, 4), MASK, kind, max_length=4)
    )


@pytest.mark.parametrize("kind", ["grpo", "bnpo", "dr_grpo", "dapo"])
def test_no_token_at_all_is_a_loss_of_zero(kind: Aggregation) -> None:
    assert aggregate(VALUES, torch.zeros_like(MASK), kind, max_length=4).item() == 0


@pytest.mark.parametrize("kind", ["grpo", "dr_grpo", "dapo"])
def test_micro_batches_add_up_to_the_whole_batch(kind: Aggregation) -> None:
    values = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mask = torch.tensor([[1.0] * k + [0.0] * (5 - k) for k in (5, 1, 3, 0, 2, 4)], dtype=torch.float64)
    tokens = mask.sum()
    whole = aggregate(values, mask, kind, max_length=5, step_tokens=tokens)
    parts = [
        aggregate(v, m, kind, max_length=5, step_tokens=tokens, micro_batches=3)
        for v, m in zip(values.split(2), mask.split(2), strict=True)
    ]
    assert sum(p.item() for p in parts) == pytest.approx(whole.item(), rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "message"), [("dr_grpo", "needs the longest length"), ("mean", "no aggregation 'mean'")]
)
def test_what_is_missing_or_unknown_is_refused(kind: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aggregate(VALUES, MASK, kind)
