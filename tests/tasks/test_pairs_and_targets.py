from __future__ import annotations

import random

import pytest

from bythebook.errors import DataError
from bythebook.readers.documents import Document, DocumentRelation
from bythebook.schema import Grammar
from bythebook.tasks.imitation import TARGETS
from bythebook.tasks.pairs import Pair, checked_several, count_several, labelled_pairs, question
from bythebook.types import Entity, Example, Guideline, Label, RelationType, Span

GUIDELINE = Guideline(
    title="t",
    version="1",
    domain="d",
    relation_types=(
        RelationType(name="made", definition="x"),
        RelationType(name="used", definition="x"),
        RelationType(name="alike", definition="x", direction="symmetric"),
    ),
    no_relation="none",
)


def document(*relations: tuple[str, str, str]) -> Document:
    """Three mentions at 0, 2 and 4, and one that overlaps the first two; listed out of order."""
    spans = {"c": (4, 5), "a": (0, 1), "b": (2, 3), "ab": (0, 3)}
    return Document(
        id="d1",
        text="x y z",
        entities=tuple(Entity(id=name, span=Span(start=s, end=e)) for name, (s, e) in spans.items()),
        relations=tuple(DocumentRelation(head=h, tail=t, type=r) for h, t, r in relations),
    )


def labels(*relations: tuple[str, str, str], unrelated: bool = False) -> dict[str, str]:
    pairs = labelled_pairs(document(*relations), Grammar.of(GUIDELINE), unrelated=unrelated)
    return {f"{p.first.id}-{p.second.id}": " ".join(label.text for label in p.labels) for p in pairs}


def test_direction_is_by_the_order_of_the_text() -> None:
    assert labels(("a", "b", "made"), ("c", "b", "used")) == {"a-b": "made(e1,e2)", "b-c": "used(e2,e1)"}


def test_a_symmetric_relation_in_both_directions_is_one_label() -> None:
    assert labels(("a", "b", "alike"), ("b", "a", "alike")) == {"a-b": "alike(e1,e2)"}


def test_several_labels_stand_in_the_order_of_the_file() -> None:
    assert labels(("b", "a", "used"), ("a", "b", "made"), ("b", "a", "used")) == {"a-b": "used(e2,e1) made(e1,e2)"}
    assert labels(("b", "a", "made"), ("a", "b", "made")) == {"a-b": "made(e2,e1) made(e1,e2)"}


def test_unrelated_pairs_are_asked_for_and_overlapping_mentions_are_none() -> None:
    assert labels(("a", "b", "made"), unrelated=True) == {"a-b": "made(e1,e2)", "a-c": "", "ab-c": "", "b-c": ""}
    assert labels(("ab", "a", "made")) == {}


def pair(*relations: tuple[str, str, str]) -> Pair:
    (found,) = labelled_pairs(document(*relations), Grammar.of(GUIDELINE))
    return found


def ask(found: Pair, **options: object) -> Example | None:
    return question(found, GUIDELINE, name="q", domain="d", split="s", **options)  # type: ignore[arg-type]


def test_a_pair_with_several_labels_is_left_out_or_takes_the_first() -> None:
    found = pair(("b", "a", "used"), ("a", "b", "made"))
    assert count_several([found]) == 1
    assert ask(found) is None
    first = ask(found, several="first")
    assert first is not None
    assert first.gold == Label(name="used", direction="(e2,e1)")
    assert first.meta == {"document": "d1", "e1": "a", "e2": "b", "labels": "used(e2,e1) made(e1,e2)"}
    with pytest.raises(DataError, match="no treatment 'last'"):
        checked_several("last")


def test_a_window_moves_the_mentions_with_the_text() -> None:
    example = ask(pair(("b", "c", "made")), window=lambda text, start, end: Span(start=start, end=end))
    assert example is not None
    assert example.text == "y z"
    assert [example.entity(name).span.of(example.text) for name in ("e1", "e2")] == ["y", "z"]
    assert "labels" not in example.meta


def test_an_unrelated_pair_has_the_no_relation_label_where_there_is_one() -> None:
    first = next(p for p in labelled_pairs(document(), Grammar.of(GUIDELINE), unrelated=True))
    example = ask(first)
    assert example is not None
    assert example.gold == Label(name="none")
    bare = question(first, GUIDELINE.model_copy(update={"no_relation": None}), name="q", domain="d", split="s")
    assert bare is not None
    assert bare.gold is None


# ---------------------------------------------------------------------------------------------------------- targets


def test_targets_say_the_gold() -> None:
    example = ask(pair(("c", "b", "made")))
    assert example is not None
    rng = random.Random(0)
    assert TARGETS["answer"](example, rng) == "<answer>made(e2,e1)</answer>"
    assert TARGETS["templated"](example, rng) == (
        "<think>y … nothing … z: made, first argument e2</think><answer>made(e2,e1)</answer>"
    )
    none = example.model_copy(update={"gold": Label(name="none")})
    assert "no definition fits" in TARGETS["templated"](none, rng)
    with pytest.raises(DataError, match="has no gold"):
        TARGETS["templated"](example.model_copy(update={"gold": None}), rng)


def test_reasoning_reads_in_the_order_of_the_text_whatever_is_marked_first() -> None:
    example = ask(pair(("b", "c", "made")))
    assert example is not None
    one, two = example.entities
    swapped = (one.model_copy(update={"id": "e2"}), two.model_copy(update={"id": "e1"}))
    text = TARGETS["templated"](example.model_copy(update={"entities": swapped}), random.Random(0))
    assert text.startswith("<think>y … nothing … z: ")
