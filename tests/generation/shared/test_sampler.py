"""Tokens are drawn from the distribution that `generate` draws from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from bythebook.generation.shared.rollouts import complete
from bythebook.generation.shared.sampler import Drawing, Sampler, draw
from conftest import drawn_ids

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "temperature": {"temperature": 0.6},
    "top-k": {"top_k": 4},
    "top-p": {"top_p": 0.7},
    "min-p": {"min_p": 0.2},
    "repetition penalty": {"repetition_penalty": 1.7},
    "all": {"temperature": 1.4, "top_k": 6, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.2},
}
V = 9


def of_generate(model: Any, prompt: list[int], settings: dict[str, Any]) -> Any:
    """(V,): probabilities of the next token in `generate`."""
    from transformers import GenerationConfig

    config = GenerationConfig(
        **{"top_k": 0, **settings},
        max_new_tokens=1,
        do_sample=True,
        pad_token_id=0,
        output_scores=True,
        return_dict_in_generate=True,
    )
    ids = torch.tensor([prompt])
    out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)
    return out.scores[0][0].softmax(dim=-1).double().numpy()


def assert_drawn_from(counts: Any, expected: Any) -> None:
    """By a chi-square test; what can't be drawn never was."""
    assert not counts[expected == 0].any()
    rare = (expected * counts.sum() < 5) & (expected > 0)
    often = ~rare & (expected > 0)
    observed = np.append(counts[often], counts[rare].sum())
    wanted = np.append(expected[often], expected[rare].sum()) * counts.sum()
    kept = wanted > 0
    assert chisquare(observed[kept], wanted[kept] * observed.sum() / wanted.sum()).pvalue > 1e-3


@pytest.mark.parametrize("name", SETTINGS)
def test_two_tokens_in_a_row_are_distributed_as_in_generate(name: str, tiny_model: Callable[..., Any]) -> None:
    model = tiny_model(vocab_size=V, initializer_range=0.15)
    guideline = drawn_ids(20, 1, V)
    prompts = [guideline + drawn_ids(3, 2, V), guideline + drawn_ids(6, 3, V)]
    each = 3000
    drawing = Drawing(max_new_tokens=2, **SETTINGS[name])
    completions = complete(model, [p for p in prompts for _ in range(each)], drawing, seed=0, batch_size=2000)
    for number, prompt in enumerate(prompts):
        counts = np.zeros((V, V))
        for first, second in completions[number * each : (number + 1) * each]:
            counts[first, second] += 1
        expected = np.zeros((V, V))
        before = of_generate(model, prompt, SETTINGS[name])
        for first in range(V):
            expected[first] = before[first] * of_generate(model, [*prompt, first], SETTINGS[name])
        assert_drawn_from(counts.reshape(-1), expected.reshape(-1))


@pytest.mark.parametrize("size", [1, 5, 128, 129, 300])
def test_uniform_numbers_fall_on_tokens_in_proportion(size: int) -> None:
    scores = torch.randn(3, size, generator=torch.Generator().manual_seed(0)) * 3
    if size > 2:
        scores[:, 1] = -torch.inf
    count = 4000
    uniform = torch.arange(1, count + 1, dtype=torch.float64) / count
    for row in scores:
        drawn = draw(row.expand(count, size).contiguous(), uniform).bincount(minlength=size)
        assert len(drawn) == size
        # Numbers at equal distances leave each token what it has, up to one.
        assert ((drawn - row.double().softmax(0) * count).abs() <= 1).all()


def test_neither_end_of_the_uniform_numbers_leaves_the_vocabulary_or_hits_what_is_excluded() -> None:
    scores = torch.zeros(2, 300)
    scores[:, :130], scores[:, 290:] = -torch.inf, -torch.inf
    assert draw(scores, torch.tensor([2.0**-53, 1.0], dtype=torch.float64)).tolist() == [130, 289]


def test_what_is_not_a_number_gives_no_token() -> None:
    scores = torch.zeros(2, 10)
    scores[1, 3] = torch.nan
    tokens = draw(scores, torch.tensor([0.05, 0.5], dtype=torch.float64))
    assert tokens[0] == 0
    assert tokens[1] >= 10


def test_a_row_draws_the_same_whoever_stands_beside_it() -> None:
    drawing, device = Drawing(max_new_tokens=3), torch.device("cpu")
    logits = torch.zeros(1, 50)
    together = Sampler(drawing, [[1], [2], [3]], [0, 1, 2], 7, device)
    alone = Sampler(drawing, [[2]], [1], 7, device)
    for step in range(3):
        both = together.next(logits.expand(3, -1).clone(), step)
        assert alone.next(logits.clone(), step).item() == both[1]
    together.arrange([-1, 1])
    alone.arrange([0])
    assert alone.next(logits.clone(), 0).item() == together.next(logits.expand(2, -1).clone(), 0)[1]
