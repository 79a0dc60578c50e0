"""Attention over a pack beside attention with the mask written out."""

from __future__ import annotations

import random

import pytest
import torch

from bythebook.generation.shared import kernels
from bythebook.generation.shared.layout import attention_layout, trunks_of
from bythebook.generation.shared.tree_attention import tree_attention
from bythebook.prefix import Node, PrefixPlan, plan_prefixes

TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}


def a_batch(seed: int) -> list[list[int]]:
    """One to three guidelines, prompts under each, completions of each, some equal, some the beginning of another."""
    draw = random.Random(seed)
    sequences = []
    for _ in range(draw.randint(1, 3)):
        guideline = [draw.randint(0, 5) for _ in range(draw.choice([3, 40, 70]))]
        for _ in range(draw.randint(1, 3)):
            tail = [draw.randint(0, 2) for _ in range(draw.choice([2, 10, 30]))]
            completions = ([draw.randint(0, 1) for _ in range(draw.randint(0, 12))] for _ in range(draw.randint(1, 4)))
            sequences += [guideline + tail + completion for completion in completions]
    return sequences


def mask_of(plan: PrefixPlan) -> torch.Tensor:
    """(N, N): who sees whom."""
    seen = torch.zeros(len(plan.token_ids), len(plan.token_ids), dtype=torch.bool)
    for number in range(len(plan.ends)):
        places = torch.from_numpy(plan.places(number))
        seen[places[:, None], places[None]] |= torch.ones(len(places), len(places), dtype=torch.bool).tril()
    return seen


def made(plan: PrefixPlan, heads: int, dtype: torch.dtype, scale: float = 1.0) -> torch.Tensor:
    """Rows of tokens as a model has them, as (1, heads, N, 8)."""
    drawn = scale * torch.randn(1, len(plan.token_ids), heads, 8, dtype=dtype)
    return drawn.transpose(1, 2).detach().requires_grad_()


def reference(plan: PrefixPlan, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    groups = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(groups, dim=1) for x in (k, v))
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask_of(plan), scale=0.3)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("seed", range(12))
def test_outputs_and_gradients_are_those_of_the_mask(seed: int, dtype: torch.dtype) -> None:
    torch.manual_seed(seed)
    plan = plan_prefixes(a_batch(seed))
    key_heads = (1, 2, 4)[seed % 3]
    q, k, v = made(plan, 4, dtype), made(plan, key_heads, dtype), made(plan, key_heads, dtype)
    ours, expected = tree_attention(q, k, v, attention_layout(plan), 0.3), reference(plan, q, k, v)
    weights = torch.randn_like(expected)
    found = torch.autograd.grad(ours, (q, k, v), weights)
    wanted = torch.autograd.grad(expected, (q, k, v), weights)
    for one, other in zip((ours, *found), (expected, *wanted), strict=True):
        assert (one - other).abs().max() < TOLERANCE[dtype]


@pytest.mark.parametrize("seed", range(4))
def test_the_plain_kernels_do_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(seed)
    plan = plan_prefixes(a_batch(seed))
    q, k, v = made(plan, 4, torch.float64), made(plan, 2, torch.float64), made(plan, 2, torch.float64)
    expected = reference(plan, q, k, v)
    monkeypatch.setattr(kernels, "_FUSED_ON_CPU", ())
    ours = tree_attention(q, k, v, attention_layout(plan), 0.3)
    weights = torch.randn_like(expected)
    found = torch.autograd.grad(ours, (q, k, v), weights)
    for one, other in zip(found, torch.autograd.grad(expected, (q, k, v), weights), strict=True):
        assert (one - other).abs().max() < 1e-12


def test_sharp_scores_leave_no_trace_of_padding() -> None:
    """Scores in the hundreds: a padded cell that took part would overflow."""
    torch.manual_seed(0)
    plan = plan_prefixes([[*range(30), 31, *range(40, 44)], [*range(30), *range(50, 52)], [*range(30), *range(60, 63)]])
    layout = attention_layout(plan)
    assert any(block.idle.any() for block in layout.branches)
    q, k, v = made(plan, 2, torch.float32, 30.0), made(plan, 2, torch.float32, 30.0), made(plan, 2, torch.float32)
    ours, expected = tree_attention(q, k, v, layout, 0.3), reference(plan, q, k, v)
    found, wanted = (torch.autograd.grad(x.sum(), (q, k, v)) for x in (ours, expected))
    for one, other in zip((ours, *found), (expected, *wanted), strict=True):
        assert torch.isfinite(one).all()
        assert torch.allclose(one, other, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_as_near_as_the_mask_is(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    plan = plan_prefixes(a_batch(5))
    exact = [made(plan, 4, torch.float64) for _ in range(3)]
    rounded = [x.detach().to(dtype).requires_grad_() for x in exact]
    wanted = torch.autograd.grad(reference(plan, *exact).sum(), exact)
    masked = torch.autograd.grad(reference(plan, *rounded).sum(), rounded)
    found = torch.autograd.grad(tree_attention(*rounded, attention_layout(plan), 0.3).sum(), rounded)
    for ours, theirs, truth in zip(found, masked, wanted, strict=True):
        assert ours.dtype == dtype
        assert (ours.double() - truth).norm() <= 1.5 * (theirs.double() - truth).norm()


def test_long_shared_nodes_are_trunks_and_what_is_above_them() -> None:
    def node(length: int, parent: int) -> Node:
        return Node(0, length, 0, parent, 0)

    nodes = [node(3, -1), node(40, 0), node(5, 1), node(6, 1), node(2, 0), node(50, 4), node(90, -1)]
    # The root is short but stands above a trunk; nobody hangs on the last three that would share them.
    assert trunks_of(nodes) == [True, True, False, False, False, False, False]


def test_each_token_is_answered_for_once() -> None:
    for seed in range(30):
        plan = plan_prefixes(a_batch(seed))
        layout = attention_layout(plan)
        owners = [torch.arange(t.start, t.end) for t in layout.trunks] + [b.owned for b in layout.branches]
        assert torch.cat(owners).sort().values.tolist() == list(range(len(plan.token_ids)))
        for block in layout.branches:
            assert block.places.flatten()[block.cells].tolist() == block.owned.tolist()
            assert int((~block.idle).sum()) == len(block.owned)


def test_branches_of_very_different_lengths_stand_in_different_blocks() -> None:
    plan = plan_prefixes([[1] * 40 + [n + 1] * n for n in (1, 2, 3, 100, 150, 900)])
    widths = [block.places.shape[1] for block in attention_layout(plan).branches]
    cells = sum(block.places.numel() for block in attention_layout(plan).branches)
    assert len(widths) >= 3
    assert cells <= 2 * sum(len(block.owned) for block in attention_layout(plan).branches) + 2 * 900
