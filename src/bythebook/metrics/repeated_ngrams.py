"""How much of a text says the same again: the share of its n-grams that are repetitions."""

from __future__ import annotations

__all__ = ["repeated_share"]


def repeated_share(text: str, window: int = 20) -> float:
    """1 − (different n-grams) / (all n-grams), over runs of `window` words in lower case, cut at white space; 0 for
    fewer words than that.

    What Perception-R1's repetition penalty counts (published code, arXiv 2506.07218). Time is linear in the text.
    ValueError for a window without words.
    """
    if window < 1:
        raise ValueError(f"a window of {window} words")
    words = text.lower().split()
    total = len(words) - window + 1
    if total < 1:
        return 0.0
    runs = zip(*(words[start:] for start in range(window)), strict=False)
    return 1.0 - len(set(runs)) / total
