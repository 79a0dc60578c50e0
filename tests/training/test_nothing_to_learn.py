"""A reward that is the same for all teaches nothing, exactly: the null control of Spurious Rewards (γ = 0)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from bythebook.generation import embedded_path
from bythebook.recipe import Recipe
from bythebook.records import read_jsonl, read_records
from bythebook.training import train


@pytest.mark.parametrize("share", ["true", "false"])
@pytest.mark.parametrize("p", ["0.0", "1.0"])
def test_loss_and_gradient_are_exactly_zero(
    p: str, share: str, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    paid = ("reward.name=bernoulli", f"reward.options={{p: {p}}}", "objective.num_iterations=2")
    recipe = short_rl(*paid, "objective.beta=0.0", f"rollout.share_prefix={share}")
    model = train(recipe, output=tmp_path, quiet=True)
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "grad_norm" in row]
    assert [(row["loss"], row["grad_norm"]) for row in rows] == [(0.0, 0.0)] * 2
    records = read_records(tmp_path / "records" / "rollouts.jsonl")
    assert {record.value for record in records} == {float(p)}
    assert any(record.correct for record in records)
    after, before = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (model, embedded_path()))
    assert all(torch.equal(after[name], before[name]) for name in before)
