"""Best F1@K and Avg@K of joint extraction: what K samples of a text are worth, estimated from N ≥ K.

Best F1@K (MimicSFT + R2GRPO, arXiv 2505.22068): for each text an oracle takes the sample of highest F1 among K, and
the counts of those samples are pooled to a micro-F1. Drawing the K samples at random from the N gives every estimate
the same data. Rank the N samples of a text from best to worst; the sample of rank r (from 0) is the best of a random
K-subset if it is in the subset and the other K − 1 are of lower rank:

    P(r) = C(N − 1 − r, K − 1) / C(N, K)

So Σ P(r) · counts(r) is the mean of the best sample's counts over all C(N, K) subsets: an unbiased estimate of what
the oracle's sample adds to TP, FP and FN. The micro-F1 is that of the pooled expectations; as a ratio of sums over
many texts it is consistent, not exactly unbiased. At K = N it is the plain Best F1@N.

Avg@K is the mean micro-F1 of single samples. Its expectation does not depend on K, so all N samples estimate it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bythebook.metrics.extraction import Counts, total
from bythebook.metrics.protocols import forgiven

__all__ = ["avg_f1", "best_at_k", "chances", "expected_best"]


@lru_cache(maxsize=256)
def chances(n: int, k: int) -> tuple[float, ...]:
    """P(r) of every rank r = 0 … n − 1; they sum to 1. ValueError unless 1 ≤ k ≤ n."""
    if not 1 <= k <= n:
        raise ValueError(f"the best of {k} among {n} samples is undefined")
    subsets = math.comb(n, k)
    return tuple(math.comb(n - 1 - rank, k - 1) / subsets for rank in range(n))


def _rank(found: Counts) -> tuple[float, float]:
    # Samples of one text have the same gold: those of equal F1 and equal false positives have equal counts, so that
    # no further rule is needed to make the order of counts a fixed one.
    return -found.item_f1, found.fp


def expected_best(samples: Sequence[Counts], k: int, *, release: bool = False) -> Counts:
    """Expected counts of the best of k samples, drawn at random from those of one text.

    Best is the highest F1 (`item_f1`: a right empty answer has 1); of equals, the fewest false positives. `release`
    counts as the released evaluator does: a sample of F1 0 never replaces the empty prediction, so it adds no false
    positives, even at k = 1; and of equals it keeps the one sampled first. ValueError unless 1 ≤ k ≤ number of samples.
    """
    ranked = sorted(map(forgiven, samples), key=lambda c: -c.item_f1) if release else sorted(samples, key=_rank)
    return total(
        Counts(p * c.tp, p * c.fp, p * c.fn, p * c.seen) for p, c in zip(chances(len(ranked), k), ranked, strict=True)
    )


def best_at_k(rows: Iterable[Sequence[Counts]], k: int, *, release: bool = False) -> Counts:
    """Best F1@K: the pooled expected counts of `expected_best`; `rows` are texts × samples. Its `f1` is the score."""
    return total(expected_best(samples, k, release=release) for samples in rows)


def avg_f1(rows: Sequence[Sequence[Counts]]) -> float | None:
    """Avg@K: the mean over samples of the micro-F1 of sample i of every text; a sample whose F1 is undefined is left
    out. None if there is none. ValueError if texts have unequal numbers of samples."""
    scores = [f1 for sample in zip(*rows, strict=True) if (f1 := total(sample).f1) is not None]
    return math.fsum(scores) / len(scores) if scores else None
