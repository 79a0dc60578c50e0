"""What the generated tables are about, and the closed vocabulary of the small ones.

The small tables have three columns and numbers of one digit. Out of domain they put the things of one theme beside the
columns of another: every word is known, the themes are not.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SEEN", "SMALL_SEEN", "SMALL_UNSEEN", "UNSEEN", "Theme", "table_pieces", "table_vocabulary"]


class Theme(NamedTuple):
    """Things, a property with a few values, and one or two numbers."""

    title: str
    thing: str
    names: tuple[str, ...]
    group: str
    groups: tuple[str, ...]
    numbers: tuple[str, ...]


SEEN = (
    Theme("Ships in the harbour", "ship", ("Gull", "Otter", "Wren", "Tern", "Heron", "Seal", "Swan", "Crab"), "port",
          ("Hale", "Mira", "Lenn"), ("crew", "cabins")),
    Theme("The cup", "team", ("Moles", "Foxes", "Larks", "Bears", "Hares", "Owls", "Wolves", "Newts"), "town",
          ("Orr", "Tarn", "Vale"), ("wins", "goals")),
    Theme("At the market", "fruit", ("pears", "plums", "figs", "limes", "dates", "kiwis", "mangos", "grapes"), "stall",
          ("north", "south", "east"), ("price", "weight")),
)  # fmt: skip
UNSEEN = (
    Theme("Rivers of the plain", "river", ("Ansa", "Belt", "Corva", "Dunn", "Elster", "Fay", "Gorm", "Isk"), "sea",
          ("Grey", "Long", "Cold"), ("length", "bridges")),
    Theme("Chess players", "player", ("Ada", "Bo", "Cy", "Dora", "Emil", "Finn", "Greta", "Hugo"), "club",
          ("Rook", "Knight", "Pawn"), ("rating", "games")),
)  # fmt: skip

SMALL_SEEN = tuple(theme._replace(title="", numbers=theme.numbers[:1]) for theme in SEEN)
SMALL_UNSEEN = tuple(
    things._replace(group=columns.group, groups=columns.groups, numbers=columns.numbers)
    for things in SMALL_SEEN
    for columns in SMALL_SEEN
    if things != columns
)

_QUESTIONS = (
    "What is the ", " of ", "How often is the ", "Which ", " has the highest ", "Entailed or refuted? The ",
    " is higher than that of ", " is lower than that of ",
)  # fmt: skip
_TABLES = (
    "\n\nTable:\n| ", "\n\nTable:\n", " |\n| --- | --- | --- |\n| ", " |\n| ", " | ", " |",
)  # fmt: skip
_ANSWERS = (
    " = ", "; ", "\n```json\n", '{"answer": ["', '{"answer": "', '"]}', '"}', "\n```\n", " ",
)  # fmt: skip
"""A space alone is a token, so that a word is the same one at the beginning of a line."""


def table_vocabulary() -> tuple[str, ...]:
    """Every word of the small tables, each one token, whatever stands before it."""
    words = [word for t in SMALL_SEEN for word in (t.thing, *t.names, t.group, *t.groups, *t.numbers)]
    return (*words, "higher", "lower", "entailed", "refuted", "user", "assistant", "json")


def table_pieces() -> tuple[str, ...]:
    """Every other text that is one token: what stands between words, in Markdown and in CSV alike one at a time."""
    return (*_QUESTIONS, *_TABLES, *_ANSWERS)
