"""Toy domains and a policy that learns them by GRPO in milliseconds, to see a choice of mixture through to its test.

Every domain is a rule that picks one of four actions from eight numbers. The rule of the target, which is never trained
on, is made of those of the domains by `target`; of a domain with a negative share one learns what is wrong there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bythebook.mixtures import MixtureSampler

__all__ = ["ToyWorld"]

Array = NDArray[np.float64]

_FEATURES, _ACTIONS = 8, 4


@dataclass(frozen=True)
class ToyWorld:
    """Domains with their examples, and how a policy learns."""

    target: Mapping[str, float]
    """Share of each domain's rule in that of the target."""
    size: int = 600
    """Training examples of a domain."""
    steps: int = 40
    prompts: int = 12
    """Of a step; 6 completions each, as in the paper."""
    learning_rate: float = 1.0
    tested: int = 2_000
    seed: int = 0
    """Of rules and examples."""

    def score(self, weights: Mapping[str, float], seed: int) -> float:
        """Accuracy on the target, fraction, of a policy that was trained on a mixture. A mixture whose domain is
        exhausted ends early and is scored as it is then."""
        x, right = self._examples("target", self.tested)
        return float(((x @ self._trained(weights, seed)).argmax(axis=1) == right).mean())

    def _trained(self, weights: Mapping[str, float], seed: int, completions: int = 6) -> Array:
        """Weights (features, actions) of a softmax policy after GRPO: advantages are rewards less their group's mean,
        over the group's deviation."""
        drawn = {name: self._examples(name, self.size) for name, share in weights.items() if share}
        sampler = MixtureSampler(dict.fromkeys(drawn, self.size), weights, seed=seed)
        rng, theta = np.random.default_rng(seed), np.zeros((_FEATURES, _ACTIONS))
        for _ in range(self.steps):
            batch = sampler.batch(self.prompts)
            if len(batch) < self.prompts:
                break
            x = np.array([drawn[d.domain][0][d.place] for d in batch])  # (prompts, features)
            right = np.array([drawn[d.domain][1][d.place] for d in batch])
            p = _softmax(x @ theta)
            coins = rng.random((self.prompts, completions, 1))
            actions = (coins > p.cumsum(axis=1)[:, None, :-1]).sum(axis=2)  # (prompts, completions)
            rewards = (actions == right[:, None]).astype(np.float64)
            centred = rewards - rewards.mean(axis=1, keepdims=True)
            advantages = centred / (rewards.std(axis=1, keepdims=True) + 1e-4)
            pulled = (advantages[:, :, None] * (np.eye(_ACTIONS)[actions] - p[:, None])).mean(axis=1)
            theta = theta + self.learning_rate * x.T @ pulled / self.prompts
        return theta

    def _examples(self, name: str, count: int) -> tuple[Array, NDArray[np.int64]]:
        """(features (count, 8), right actions (count,)) of a domain, or of `target`."""
        rules = {domain: self._rule(domain) for domain in self.target}
        rule = rules[name] if name in rules else sum(share * rules[d] for d, share in self.target.items())
        x = self._rng(name, 1).normal(size=(count, _FEATURES))
        return x, np.asarray((x @ rule).argmax(axis=1), dtype=np.int64)

    def _rule(self, domain: str) -> Array:
        return self._rng(domain, 0).normal(size=(_FEATURES, _ACTIONS))

    def _rng(self, name: str, what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, what, *name.encode()])


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
