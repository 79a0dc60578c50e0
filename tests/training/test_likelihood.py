from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch

from bythebook.generation.chat import encode_prompts
from bythebook.prompts import PromptStyle, render
from bythebook.tasks import world
from bythebook.training.likelihood import likelihood_of

CAREFUL = world.TASK.targets["careful"]


def test_it_is_the_mean_over_the_tokens_of_the_completions(embedded: tuple[Any, Any]) -> None:
    model, tokenizer = embedded
    examples = world.load(seed=5, k=4, ood=3)["ood"]
    nats: list[float] = []
    right = 0
    for example in examples:
        prompt = encode_prompts(tokenizer, [render(example, PromptStyle(template="short", rendering="rules"))])[0]
        written = tokenizer(CAREFUL(example, random.Random(0)), add_special_tokens=False)["input_ids"]
        ids = [*prompt, *written, tokenizer.eos_token_id]
        with torch.inference_mode():
            log_probs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        for place in range(len(prompt), len(ids)):
            nats.append(-log_probs[place - 1, ids[place]].item())
            right += int(log_probs[place - 1].argmax() == ids[place])
    for batch_size in (1, 2):
        found = likelihood_of("embedded", examples, CAREFUL, batch_size=batch_size)
        assert found.tokens == len(nats)
        assert found.nats == pytest.approx(math.fsum(nats) / len(nats), rel=1e-4)
        assert found.accuracy == pytest.approx(right / len(nats))


def test_careful_completions_are_likelier_than_guesses() -> None:
    examples = world.load(seed=6, k=4, ood=32)["ood"]
    careful = likelihood_of("embedded", examples, CAREFUL)
    guessing = likelihood_of("embedded", examples, lambda e, rng: world.annotate_as("guessing", e, rng))
    assert careful.nats < guessing.nats
    assert careful.accuracy > 0.8


def test_nothing_has_no_likelihood() -> None:
    with pytest.raises(ValueError, match="no examples"):
        likelihood_of("embedded", [], CAREFUL)
