"""A quick look at accuracy during training: greedy answers on a few examples of each split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bythebook.generation import Sampling, kind_of
from bythebook.prompts import PromptStyle, render
from bythebook.rewards.answers import Monitor, pooled_f1
from bythebook.schema import gold_of
from bythebook.tasks.pictures import with_picture
from bythebook.types import Example

__all__ = ["make_probe"]


def make_probe(
    model: Any,
    tokenizer: Any,
    splits: Mapping[str, Sequence[Example]],
    style: PromptStyle,
    max_new_tokens: int,
    tags: str = "think",
) -> Callable[[], dict[str, float | None]]:
    """A function that gives `{"<split>_accuracy": …}`, and of joint extraction `<split>_f1`, micro-averaged over
    entities and relations; None for a split without labelled examples. `tags` as in `rewards.reward`."""
    sampling = Sampling(temperature=0.0, max_new_tokens=max_new_tokens, n=1, batch_size=256)
    labelled = {name: [(e, g) for e in examples if (g := gold_of(e))] for name, examples in splits.items()}
    prompts = {name: [with_picture(e, render(e, style)) for e, _ in rows] for name, rows in labelled.items()}

    def probe() -> dict[str, float | None]:
        generator = kind_of(tokenizer)(model, tokenizer)
        monitor = Monitor(prefilled=generator.prefilled, tags=tags)
        out: dict[str, float | None] = {}
        for name, asked in prompts.items():
            completions = [c[0].text for c in generator.generate(asked, sampling)]
            monitor.ahead((text, gold) for text, (_, gold) in zip(completions, labelled[name], strict=True))
            found = [monitor(text, gold) for text, (_, gold) in zip(completions, labelled[name], strict=True)]
            out[f"{name}_accuracy"] = sum(a.correct for a in found) / len(found) if found else None
            if any(a.counts for a in found):
                out[f"{name}_f1"] = pooled_f1(a.counts for a in found)
        return out

    return probe
