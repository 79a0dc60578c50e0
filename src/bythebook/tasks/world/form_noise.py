"""Noise as text recognition makes it, drawn from a seed. What stands under a key can still be read.

Letters are put in the place of digits that look like them, but in numbers only, where no letter can stand; so whoever
reads a number puts the digit back (`mended`). Labels and other words lose letters, case and spaces.
"""

from __future__ import annotations

import random

__all__ = ["LOOK_ALIKES", "blurred", "mended", "misread"]

LOOK_ALIKES = {"0": "O", "1": "l", "5": "S", "8": "B"}
_DIGITS = {letter: digit for digit, letter in LOOK_ALIKES.items()}
_JOINTS = frozenset(".:/,-")
_SHORTEST = 4
"""Letters of a word that may lose one."""


def misread(text: str, rate: float, rng: random.Random) -> str:
    """`text` with digits of its numbers taken for letters, each at that rate. One digit of a number stays at least."""
    return " ".join(_misread_word(word, rate, rng) if _is_number(word) else word for word in text.split(" "))


def _is_number(word: str) -> bool:
    return any(c.isdigit() for c in word) and all(c.isdigit() or c in _JOINTS for c in word)


def _misread_word(word: str, rate: float, rng: random.Random) -> str:
    noisy = "".join(LOOK_ALIKES[c] if c in LOOK_ALIKES and rng.random() < rate else c for c in word)
    return noisy if any(c.isdigit() for c in noisy) else word


def mended(text: str) -> str:
    """The inverse of `misread`: in words that have a digit and are a number but for look-alikes."""
    return " ".join(_mended_word(word) for word in text.split(" "))


def _mended_word(word: str) -> str:
    digits = "".join(_DIGITS.get(c, c) for c in word)
    return digits if any(c.isdigit() for c in word) and _is_number(digits) else word


def blurred(text: str, rate: float, rng: random.Random) -> str:
    """Words of a label or a filler, each of them damaged at that rate: a letter lost, or all in the other case."""
    return " ".join(_blurred_word(word, rng) if rng.random() < rate else word for word in text.split(" "))


def _blurred_word(word: str, rng: random.Random) -> str:
    if len(word) >= _SHORTEST and rng.random() < 0.5:
        at = rng.randrange(1, len(word))
        return word[:at] + word[at + 1 :]
    return word.lower() if word.isupper() else word.upper()
