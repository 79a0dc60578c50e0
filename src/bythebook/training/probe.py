"""A quick look at accuracy during training: greedy answers on a few examples of each split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bythebook.generation import Sampling, TransformersModel
from bythebook.metrics.labels import same_label
from bythebook.parsing import parse_tagged_answer
from bythebook.prompts import PromptStyle, render
from bythebook.schema import Gold
from bythebook.types import Example

__all__ = ["make_probe"]


def make_probe(
    model: Any,
    tokenizer: Any,
    splits: Mapping[str, Sequence[Example]],
    style: PromptStyle,
    max_new_tokens: int,
) -> Callable[[], dict[str, float | None]]:
    """A function that gives `{"<split>_accuracy": …}`, None for a split without labelled examples."""
    sampling = Sampling(temperature=0.0, max_new_tokens=max_new_tokens, n=1, batch_size=256)
    prompts = {name: [render(e, style) for e in examples if e.gold] for name, examples in splits.items()}
    golds = {name: [Gold.of(e.gold, e.guideline) for e in examples if e.gold] for name, examples in splits.items()}

    def probe() -> dict[str, float | None]:
        generator = TransformersModel(model, tokenizer)
        out: dict[str, float | None] = {}
        for name, asked in prompts.items():
            completions = [c[0].text for c in generator.generate(asked, sampling)]
            hits = [
                same_label(parse_tagged_answer(text, gold.grammar, prefilled=generator.prefilled).label, gold.label)
                for text, gold in zip(completions, golds[name], strict=True)
            ]
            out[f"{name}_accuracy"] = sum(hits) / len(hits) if hits else None
        return out

    return probe
