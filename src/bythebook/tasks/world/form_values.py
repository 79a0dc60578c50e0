"""The values of the procedural forms: what each kind of value looks like, in words of our own."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["VALUES", "drawn"]

_PEOPLE = "Mira Tomas Lena Oskar Nadia Emil Rosa Viktor Clara Hugo Irma Pavel".split()
_FAMILIES = "Brandt Okafor Lindqvist Moreau Takeda Novak Ferro Amsel Duarte Kovac".split()
_PLACES = "Harbour Lime Orchard Mill Cedar River Quarry Meadow".split()
_DRUGS = "veloprin tamidol corvaset benural oximel lactorin".split()
_ARTICLES = "copper pipe|oak board|steel hinge|wall lamp|garden hose|paint bucket|roof tile|door handle".split("|")
_DEVICES = "kettle|radio|sewing machine|desk fan|record player|hair dryer".split("|")
_PARTS = "fuse|belt|switch|heating coil|bearing|power cord".split("|")
_FAULTS = "does not start|smells burnt|makes noise|leaks|stops after a while".split("|")
_READINGS = "ferritin|sodium|glucose|calcium|albumin|zinc|folate".split("|")
_UNITS = "mg/l|mmol/l|g/l|units/l".split("|")


def _person(rng: random.Random) -> str:
    return f"{rng.choice(_PEOPLE)} {rng.choice(_FAMILIES)}"


def _date(rng: random.Random) -> str:
    return f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.20{rng.randint(10, 29)}"


VALUES: dict[str, Callable[[random.Random], str]] = {
    "person": _person,
    "date": _date,
    "shop": lambda rng: f"{rng.choice(_PLACES)} {rng.choice(('Pharmacy', 'Stores', 'Repairs', 'Supplies'))}",
    "money": lambda rng: f"{rng.randint(1, 299)}.{rng.randint(0, 99):02d}",
    "count": lambda rng: str(rng.randint(1, 40)),
    "number": lambda rng: str(rng.randint(10_000, 99_999)),
    "time": lambda rng: f"{rng.randint(7, 19):02d}:{rng.choice((0, 15, 30, 45)):02d}",
    "drug": lambda rng: rng.choice(_DRUGS),
    "dose": lambda rng: f"{rng.choice((5, 10, 20, 50, 100, 250))} mg",
    "article": lambda rng: rng.choice(_ARTICLES),
    "device": lambda rng: rng.choice(_DEVICES),
    "part": lambda rng: rng.choice(_PARTS),
    "complaint": lambda rng: rng.choice(_FAULTS),
    "reading": lambda rng: rng.choice(_READINGS),
    "result": lambda rng: f"{rng.randint(0, 199)}.{rng.randint(0, 9)}",
    "unit": lambda rng: rng.choice(_UNITS),
}
"""By kind: a generator of random numbers → a value."""


def drawn(kind: str, rng: random.Random) -> str:
    """A value of a kind. KeyError if there is no such kind."""
    return VALUES[kind](rng)
