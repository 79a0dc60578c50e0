"""Plain forms: the procedural forms in words that a model from scratch learns to read in minutes.

Every value is one word, there are no lists, headings and numbers, and keys are asked for by name alone. In domain are
the scalars of pharmacy slips and delivery notes. A model of this size knows no word that it was not trained on, so out
of domain are not other words but other schemas: keys of both kinds of form, which training never asks for together.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from bythebook.tasks.world.form_kinds import FORMS, Form, Rows

__all__ = ["PLAIN_FORMS", "PLAIN_OOD_FORMS", "drawn_plain", "plain_pieces", "plain_vocabulary"]

_VALUES: dict[str, tuple[str, ...]] = {
    "person": tuple("Mira Tomas Lena Oskar Nadia Emil Rosa Viktor Clara Hugo Irma Pavel".split()),
    "shop": tuple("Harbour Lime Orchard Mill Cedar River Quarry Meadow Castle Willow".split()),
    "date": tuple("January February March April May June July August September October November December".split()),
    "money": tuple("five ten twenty thirty forty fifty sixty seventy eighty ninety".split()),
    "number": tuple("alpha bravo delta echo golf hotel kilo lima oscar papa".split()),
    "time": tuple("dawn morning noon dusk evening midnight".split()),
    "count": tuple("one two three four six seven eight nine".split()),
}

_NO_LIST = Rows("", "", (), "")


def drawn_plain(kind: str, rng: random.Random) -> str:
    """A value of a kind, one word. KeyError if there is no such kind."""
    return rng.choice(_VALUES[kind])


def _plain(form: Form) -> Form:
    """Without headings, endings and list, keys without descriptions."""
    fields = tuple(field._replace(description="") for field in form.fields)
    return form._replace(headings=(), fields=fields, rows=_NO_LIST, endings=())


def _mixed(name: str, keys: str, one: Form, other: Form) -> Form:
    """A kind of form that has keys of two others, in this order, and lines of both that no key asks for."""
    fields = {field.key: field for field in (*other.fields, *one.fields)}
    asked = tuple(fields[key] for key in keys.split())
    return one._replace(name=name, fields=asked, decoys=(*one.decoys, *other.decoys))


PLAIN_FORMS: tuple[Form, ...] = tuple(_plain(form) for form in FORMS)
PLAIN_OOD_FORMS: tuple[Form, ...] = (
    _mixed("home delivery", "pharmacy number patient driver paid", *PLAIN_FORMS),
    _mixed("return slip", "sender date doctor time patient", *PLAIN_FORMS),
)


def plain_vocabulary() -> list[str]:
    """Every word, with the space before it where it has one."""
    return list(dict.fromkeys(_words()))


def _words() -> Iterator[str]:
    yield from "user assistant Keys Document".split()
    for values in _VALUES.values():
        yield from values
    for form in PLAIN_FORMS:
        for label in (*(x for field in form.fields for x in field.labels), *(label for label, _ in form.decoys)):
            first, *rest = label.split(" ")
            yield from (first, *(f" {word}" for word in rest))
        for field in form.fields:
            yield from (field.key, f" {field.key}")


def plain_pieces() -> list[str]:
    """What stands between words in prompt and answer, as tokens of their own."""
    return ['{\n  "', '": "",\n  "', '": ""\n}', '{"', '": "', '", "', '"}', ": "]
