"""Tricks with characters: what looks the same and is not, what can't be seen, other spellings."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

from bythebook.studies.attack.attempts import Attempt, Trick, claim
from bythebook.studies.attack.items import Item

__all__ = ["TRICKS"]

_CYRILLIC = str.maketrans("aceiopxyABCEHKMOPTX", "асеіорхуАВСЕНКМОРТХ")


def _respelled(item: Item, *spellings: Callable[[str], str]) -> Iterator[Attempt]:
    """Every mention in another spelling, entities and arguments; what is not changed by it is left out."""
    for spell in spellings:
        entities = [(spell(text), kind) for text, kind in item.entities if spell(text) != text]
        relations = [(spell(h), n, spell(t)) for h, n, t in item.relations if (spell(h), spell(t)) != (h, t)]
        yield claim(item, entities or item.wrong_entities, relations or item.wrong_relations)


def _inside(odd: str) -> Callable[[str], str]:
    return lambda text: text[:1] + odd + text[1:]


def _around(left: str, right: str) -> Callable[[str], str]:
    return lambda text: left + text + right


def zero_width_characters(item: Item) -> Iterator[Attempt]:
    """Mentions with characters that take no room."""
    yield from _respelled(item, *(_inside(c) for c in ("\u200b", "\u200d", "\u2060", "\ufeff")))


def soft_hyphens(item: Item) -> Iterator[Attempt]:
    """Mentions with a hyphen that is not shown."""
    yield from _respelled(item, _inside("\u00ad"), lambda text: "\u00ad".join(text))


def text_direction_marks(item: Item) -> Iterator[Attempt]:
    """Mentions that are stored backwards and shown forwards."""
    yield from _respelled(item, lambda text: f"\u202e{text[::-1]}\u202c", _around("\u200f", "\u200e"))


def tag_characters(item: Item) -> Iterator[Attempt]:
    """Mentions with characters of the tag block, which nothing shows."""
    yield from _respelled(item, _around("", "\U000e0041\U000e0042"), _inside("\ufe0f"))


def control_characters(item: Item) -> Iterator[Attempt]:
    """Mentions with what a terminal obeys."""
    yield from _respelled(item, _around("x\b", ""), _around("\x1b[0m", ""), _inside("\x00"))


def look_alike_letters(item: Item) -> Iterator[Attempt]:
    """Cyrillic letters for Latin ones."""
    yield from _respelled(item, lambda text: text.translate(_CYRILLIC), lambda text: text.replace("a", "а", 1))


def full_width_letters(item: Item) -> Iterator[Attempt]:
    """Letters as wide as Chinese ones."""
    wide = {c: c + 0xFEE0 for c in range(0x21, 0x7F)}
    yield from _respelled(item, lambda text: text.translate(wide), lambda text: text[:1].translate(wide) + text[1:])


def combining_marks(item: Item) -> Iterator[Attempt]:
    """Accents over each letter."""
    yield from _respelled(item, lambda text: "".join(c + "\u0301" for c in text), _inside("\u034f"))


def stylised_letters(item: Item) -> Iterator[Attempt]:
    """Mathematical letters, which normalisation folds into plain ones."""
    bold = {c: 0x1D41A + c - ord("a") for c in range(ord("a"), ord("z") + 1)}
    yield from _respelled(item, lambda text: text.translate(bold))


def other_letter_case(item: Item) -> Iterator[Attempt]:
    """Mentions in capitals, in small letters, and the other way round."""
    yield from _respelled(item, str.upper, str.lower, str.swapcase, str.title)


def other_white_space(item: Item) -> Iterator[Attempt]:
    """Mentions with spaces that are wider, more, or around them."""
    spaces = ("  ", "\u00a0", "\t", "\n", "\u3000")
    yield from _respelled(item, *(lambda text, s=space: text.replace(" ", s) for space in spaces), _around(" ", " "))


def words_run_together(item: Item) -> Iterator[Attempt]:
    """Mentions without their spaces, or with hyphens for them."""
    yield from _respelled(item, *(lambda text, j=joint: text.replace(" ", j) for joint in ("", "-", "_", "‐")))


def punctuation_around(item: Item) -> Iterator[Attempt]:
    """Mentions in quotes, in brackets, with a full stop."""
    marks = (("'", "'"), ("“", "”"), ("(", ")"), ("", "."), ("", ","), ("**", "**"), ("`", "`"), ("#", ""))
    yield from _respelled(item, *(_around(left, right) for left, right in marks))


def articles_and_plurals(item: Item) -> Iterator[Attempt]:
    """Mentions with a determiner, or as several."""
    yield from _respelled(item, _around("the ", ""), _around("a ", ""), _around("", "s"), _around("our ", ""))


def entities_of_markup(item: Item) -> Iterator[Attempt]:
    """Mentions as HTML or a URL spells them."""
    yield from _respelled(
        item,
        lambda text: "".join(f"&#{ord(c)};" for c in text),
        lambda text: text.replace(" ", "&nbsp;"),
        lambda text: text.replace(" ", "%20"),
    )


def encoded_mentions(item: Item) -> Iterator[Attempt]:
    """Mentions as hexadecimal digits, as names of characters, backwards."""
    yield from _respelled(
        item,
        lambda text: text.encode().hex(),
        lambda text: "".join(f"\\N{{{unicodedata.name(c, '')}}}" for c in text),
        lambda text: text[::-1],
    )


def labels_in_other_spelling(item: Item) -> Iterator[Attempt]:
    """Right mentions with labels that nearly are the guideline's."""
    for spell in (str.upper, str.lower, _around(" ", ""), _inside("\u200b"), _around("", "s")):
        entities = [(text, spell(kind)) for text, kind in item.entities]
        relations = [(head, spell(name), tail) for head, name, tail in item.relations]
        yield claim(item, entities or item.wrong_entities, relations or item.wrong_relations)


TRICKS: tuple[Trick, ...] = (
    zero_width_characters, soft_hyphens, text_direction_marks, tag_characters, control_characters,
    look_alike_letters, full_width_letters, combining_marks, stylised_letters, other_letter_case, other_white_space,
    words_run_together, punctuation_around, articles_and_plurals, entities_of_markup, encoded_mentions,
    labels_in_other_spelling,
)  # fmt: skip
