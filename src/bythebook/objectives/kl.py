"""KL(π‖π_ref), estimated token by token from the log-probs of the sampled tokens alone.

What an estimate is worth as a loss depends on whether it is multiplied by the importance ratio r = π/π_old, through
which the gradient flows. In expectation over tokens that the policy itself drew (r = 1 in value):

| estimate | value | gradient |
|---|---|---|
| k1 | KL(π‖π_ref) | 0: it pulls nowhere |
| k1 · r | KL(π‖π_ref) | of KL(π‖π_ref) |
| k2 | another divergence | of KL(π‖π_ref) |
| k2 · r | another divergence | of that divergence |
| k3 | KL(π‖π_ref) | of KL(π_ref‖π), the other direction |
| k3 · r | KL(π‖π_ref) | of KL(π‖π_ref) |

With the ratio of tokens, the rows with r hold for tokens that an older policy drew, too. The tests compute every row by
enumeration.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["KLEstimator", "kl_estimate"]

KLEstimator = Literal["k1", "k2", "k3"]
"""Schulman's names for them."""


def kl_estimate(logp: Tensor, ref_logp: Tensor, estimator: KLEstimator) -> Tensor:
    """The estimate at every token: (B, T) log-probs of the policy and of the reference → (B, T), in nats.

    Source: J. Schulman, "Approximating KL Divergence", 2020, http://joschu.net/blog/kl-approx.html. k3 is eq. 4 of
    DeepSeekMath (arXiv 2402.03300). ValueError for an unknown name.
    """
    log_ratio = ref_logp - logp  # log π_ref/π
    if estimator == "k1":
        return -log_ratio
    if estimator == "k2":
        return log_ratio**2 / 2
    if estimator == "k3":
        # expm1: where policy and reference are close, exp(x) − 1 − x would be rounding error.
        return torch.expm1(log_ratio) - log_ratio
    raise ValueError(f"no KL estimator {estimator!r}: k1, k2 or k3")
