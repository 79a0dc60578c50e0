"""Training examples of several domains, drawn by the weights of a mixture (MoDoMoDo, arXiv 2505.24871).

For every example the domain is drawn by the weights, then its next example that was not drawn before; when a domain is
drawn that has none left, sampling stops. Numbers come out, not examples: a place in the domain's own list.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

__all__ = ["Drawn", "MixtureSampler"]

_SCHEMA = "bythebook.mixture_sampler/1"


class Drawn(NamedTuple):
    """One example: the domain, and its place there from 0."""

    domain: str
    place: int


class MixtureSampler:
    """Draws without repeats until a drawn domain is exhausted, which `exhausted` then names.

    `sizes` is how many examples each domain has, `weights` their shares. The order within a domain depends on `seed`
    and the domain alone, so that runs of other mixtures see its examples in the same order. ValueError for weights that
    are negative or have another sum than 1, and for a domain with a weight and without an example.
    """

    def __init__(self, sizes: Mapping[str, int], weights: Mapping[str, float], *, seed: int = 0) -> None:
        shares = {name: float(weights[name]) for name in weights}
        if not shares or not all(math.isfinite(s) and s >= 0 for s in shares.values()):
            raise ValueError("weights are numbers from 0")
        total = math.fsum(shares.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"weights have the sum 1, not {total:.6g}")
        self._names = [name for name, share in shares.items() if share]
        if empty := next((name for name in self._names if sizes.get(name, 0) < 1), None):
            raise ValueError(f"domain {empty!r} has a weight and no example")
        self._made_of: dict[str, Any] = {
            "sizes": {name: sizes[name] for name in self._names},
            "weights": {name: shares[name] / total for name in self._names},
            "seed": seed,
        }
        self._bounds = list(accumulate(self._made_of["weights"].values()))
        self._orders = {name: _order(name, sizes[name], seed) for name in self._names}
        self._start()

    def _start(self) -> None:
        self._domains = random.Random(f"bythebook mixture sampler/{self._made_of['seed']}")
        self.taken = dict.fromkeys(self._names, 0)
        """How many examples of each domain were drawn."""
        self.exhausted: str | None = None
        """The domain that was drawn when it had no example left; None while sampling goes on."""

    def draw(self) -> Drawn | None:
        """The next example; None from the moment on when a drawn domain is exhausted."""
        if self.exhausted is not None:
            return None
        name = self._names[min(bisect_right(self._bounds, self._domains.random()), len(self._names) - 1)]
        place = self.taken[name]
        if place == len(self._orders[name]):
            self.exhausted = name
            return None
        self.taken[name] += 1
        return Drawn(name, self._orders[name][place])

    def batch(self, size: int) -> list[Drawn]:
        """The next so many examples, of as many domains as were drawn; fewer, or none, where sampling stopped.
        ValueError for a size below 1."""
        if size < 1:
            raise ValueError(f"a batch has at least one example, got {size}")
        found: list[Drawn] = []
        while len(found) < size and (drawn := self.draw()) is not None:
            found.append(drawn)
        return found

    def __iter__(self) -> Iterator[Drawn]:
        """Everything that is left to draw."""
        while (drawn := self.draw()) is not None:
            yield drawn

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to hold, as JSON; it grows with the number of domains only."""
        return {"schema": _SCHEMA, **self._made_of, "taken": dict(self.taken), "exhausted": self.exhausted}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state, exactly. The draws are made again, so that a state that they don't lead to is a
        ValueError, as is one of other sizes, weights or seed; this sampler then is as new."""
        self._start()
        if state.get("schema") != _SCHEMA or any(state.get(key) != value for key, value in self._made_of.items()):
            raise ValueError("this is the state of another sampler: sizes, weights and seed must be the same")
        taken, exhausted = state.get("taken"), state.get("exhausted")
        draws = sum(taken.values()) if isinstance(taken, Mapping) and _counts(taken) else -1
        for _ in range(min(draws, sum(self._made_of["sizes"].values()))):
            self.draw()
        if exhausted is not None:
            self.draw()
        if self.taken != taken or self.exhausted != exhausted:
            self._start()
            raise ValueError("no draws of this sampler lead to this state")


def _order(name: str, size: int, seed: int) -> list[int]:
    places = list(range(size))
    random.Random(f"bythebook mixture sampler/{seed}/{name}").shuffle(places)
    return places


def _counts(taken: Mapping[Any, Any]) -> bool:
    return all(isinstance(count, int) and count >= 0 for count in taken.values())
