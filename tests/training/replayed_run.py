"""`python replayed_run.py RECIPE OUTPUT`: train by a recipe whose rollouts are not sampled but written down beforehand.

What is answered to a prompt depends on the prompt and on how often it was asked in this generation, and on nothing
else: as many processes as you like see the same rollouts.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import Any

from bythebook.recipe import load_recipe
from bythebook.tasks import task_named
from bythebook.training import sharing, train
from bythebook.training.grpo import GuidelineGRPOTrainer

EXAMPLES = task_named("world").read(None, train=40, id=0, ood=0)["train"]


def completion(prompt: list[int], number: int, encode: Any, end: int) -> list[int]:
    """Well-formed and right, well-formed and wrong, malformed, or cut off."""
    draw = random.Random(f"{prompt}/{number}")
    target = task_named("world").targets["careful"]
    ids: list[int] = encode(target(draw.choice(EXAMPLES), draw))
    form = draw.randrange(4)
    if form == 0:
        return ids[: len(ids) // 2]
    return [*(ids[3:] if form == 1 else ids), end]


def replay(trainer: Any, prompt_ids: list[list[int]], *rest: Any, **named: Any) -> tuple[list[list[int]], None]:
    tokenizer, asked, out = trainer.processing_class, Counter[tuple[int, ...]](), []

    def encode(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    for ids in prompt_ids:
        out.append(completion(ids, asked[tuple(ids)], encode, tokenizer.eos_token_id))
        asked[tuple(ids)] += 1
    return out, None


def replay_rollouts(prompts: list[Any], trainer: Any) -> dict[str, Any]:
    """The same where prefixes are shared, which has rollouts of its own."""
    prompt_ids = trainer._tokenize_prompts(prompts)[0]
    return {"prompt_ids": prompt_ids, "completion_ids": replay(trainer, prompt_ids)[0], "logprobs": None}


def main() -> None:
    GuidelineGRPOTrainer._generate_single_turn = replay
    sharing.shared_rollouts = replay_rollouts
    train(load_recipe(sys.argv[1]), output=sys.argv[2], quiet=True)


if __name__ == "__main__":
    main()
