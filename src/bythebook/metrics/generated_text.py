"""A sentence beside its references: BLEU by sacrebleu and ROUGE-L by rouge-score, both fractions.

Both libraries come with the extra `tables`; they are loaded when first needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from bythebook.errors import MissingExtraError

__all__ = ["Overlap", "overlap", "rouge_l", "sentence_bleu"]

_EXTRA = "tables"
_LONGEST_STEMMED = 64
"""Characters: the stemmer recurses over a run of `y`, and no word is longer."""
_SHORTEST_STEMMED = 4
"""As rouge-score has it."""


class Overlap(NamedTuple):
    """BLEU / 100 and ROUGE-L's F."""

    bleu: float
    rouge: float

    @property
    def mean(self) -> float:
        """(BLEU / 100 + ROUGE-L) / 2: Table-R1's score of free answers."""
        return (self.bleu + self.rouge) / 2


def overlap(answer: str, references: Sequence[str]) -> Overlap:
    """Both measures. ValueError without references, MissingExtraError without the libraries."""
    return Overlap(sentence_bleu(answer, references), rouge_l(answer, references))


def sentence_bleu(answer: str, references: Sequence[str]) -> float:
    """sacrebleu's sentence BLEU with effective order, divided by 100 (published code), at most 1; n-grams may come from
    any of the references. ValueError without references."""
    if not references:
        raise ValueError("no reference to compare with")
    # Rounding may lift a perfect score above 100.
    return min(float(_bleu().sentence_score(answer, list(references)).score) / 100, 1.0)


def rouge_l(answer: str, references: Sequence[str]) -> float:
    """rouge-score's ROUGE-L F with the stemmer (published code), the best over the references; words of more than 64
    characters are not stemmed. Time: length of the answer times that of the references. ValueError without references.
    """
    if not references:
        raise ValueError("no reference to compare with")
    return max(float(_rouge().score(reference, answer)["rougeL"].fmeasure) for reference in references)


@lru_cache(maxsize=1)
def _bleu() -> Any:
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError:
        raise MissingExtraError("the score of free answers about tables", _EXTRA) from None
    return BLEU(effective_order=True)


class _Words:
    """rouge-score's words, stemmed where they may be."""

    def __init__(self, split: Any, stemmer: Any) -> None:
        self._split, self._stemmer = split, stemmer

    def tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        words = self._split(text, None)
        stemmed = (_SHORTEST_STEMMED <= len(word) <= _LONGEST_STEMMED for word in words)
        return [self._stemmer.stem(w) if short else w for w, short in zip(words, stemmed, strict=True)]


@lru_cache(maxsize=1)
def _rouge() -> Any:
    try:
        from nltk.stem.porter import PorterStemmer
        from rouge_score import rouge_scorer, tokenize
    except ImportError:
        raise MissingExtraError("the score of free answers about tables", _EXTRA) from None
    return rouge_scorer.RougeScorer(["rougeL"], tokenizer=_Words(tokenize.tokenize, PorterStemmer()))
