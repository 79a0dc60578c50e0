"""The rule judge of descriptions: what it reads as a fact, as a contradiction, and as nothing at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.visual_claims import claims_of
from bythebook.metrics.visual_facts import facts_in, perceived

COLOURS, SHAPES = ("red", "blue", "green"), ("circle", "square")
STATED, CONTRADICTED, BOTH, SILENT = (True, False), (False, True), (True, True), (False, False)


@pytest.mark.parametrize(
    ("description", "fact", "found"),
    [
        # colour, shape and size, in many ways of saying it
        ("b2 is red", "b2 is red", STATED),
        ("B2 IS RED.", "b2 is red", STATED),
        ("b2: small scarlet disc", "b2 is a small red circle", STATED),
        ("At b2 there is a red circle.", "the circle is red", STATED),
        ("The thing in row 2, column b has the colour red", "b2 is red", STATED),
        ("column 3, row 1: a star", "c1 is a star", STATED),
        ("b2 is a circle. Its colour is red.", "b2 is red", STATED),
        ("a1, a2 and a3 are red", "a2 is red", STATED),
        ("b2 is a circle. a1 is a square. b2 is red.", "the circle is red", STATED),
        ("b2 is a red circle. b2 is blue.", "the circle is red", BOTH),
        ("a1 small red circle b2 large blue square", "b2 is a large blue square", STATED),
        ("b2 is a grey square", "b2 is a gray square", STATED),
        ("b2 is blue", "b2 is red", CONTRADICTED),
        ("b2 is a square", "the circle is at b2", CONTRADICTED),
        ("b2 is empty", "b2 is red", CONTRADICTED),
        ("b2 is empty", "b2 is empty", STATED),
        ("b2 is red", "b3 is red", SILENT),
        ("the circle is blue", "the circle is red", CONTRADICTED),
        ("there is a blue circle", "b2 is a red circle", SILENT),
        ("a1 small red circle b2 large blue square", "a1 is a square", CONTRADICTED),
        # position
        ("the red circle is at b2", "the circle is at b2", STATED),
        ("a red circle is at a1", "the circle is at b2", CONTRADICTED),
        # number
        ("There are 2 circles.", "there are two circles", STATED),
        ("Circles: 2", "there are two circles", STATED),
        ("the number of red things is three", "there are three red things", STATED),
        ("two circles and three squares", "there are three squares", STATED),
        ("There are 3 circles.", "there are two circles", CONTRADICTED),
        ("there are two red circles", "there are two circles", SILENT),
        ("there are no circles", "there are no circles", STATED),
        ("there is no circle", "b2 is a circle", CONTRADICTED),
        ("step 2: the circle is red", "there are two circles", SILENT),
        ("1. the circle is red", "the circle is red", STATED),
        # relation
        ("the circle is left of the square", "the circle is left of the square", STATED),
        ("the red circle stands to the left of the big square", "the circle is left of the square", STATED),
        ("the square is to the right of the circle", "the circle is left of the square", STATED),
        ("the square is below the circle", "the circle is above the square", STATED),
        ("the square is left of the circle", "the circle is left of the square", CONTRADICTED),
        ("the circle is not left of the square", "the circle is left of the square", CONTRADICTED),
        ("the circle is above the square", "the circle is left of the square", SILENT),
        # denials
        ("b2 is not red", "b2 is red", CONTRADICTED),
        ("b2 isn't red but blue", "b2 is blue", STATED),
        ("b2 is blue, not red", "b2 is red", CONTRADICTED),
        ("b2 is not blue", "b2 is red", SILENT),
        # saying everything
        ("b2 is red or blue", "b2 is red", BOTH),
        ("b2 is red. It is blue.", "b2 is red", BOTH),
        ("red blue green circle square a1 b2", "b2 is red", BOTH),
        ("there are one, two, three circles", "there are two circles", BOTH),
        ("the circle is left of the square and right of the square", "the circle is left of the square", BOTH),
        ("the circle is at a1. the circle is at b2.", "the circle is at b2", BOTH),
        # saying nothing
        ("What colour is b2? Is b2 red?", "b2 is red", SILENT),
        ("is b2 red", "b2 is red", SILENT),
        ("maybe b2 is red", "b2 is red", SILENT),
        ("if b2 is red, then so be it", "b2 is red", SILENT),
        ("red, circle", "b2 is red", SILENT),
        ("", "b2 is red", SILENT),
    ],
)
def test_what_a_description_says_of_a_fact(description: str, fact: str, found: tuple[bool, bool]) -> None:
    (finding,) = facts_in(description, [fact])
    assert finding == found


@pytest.mark.parametrize("fact", ["", "nothing in particular", "b2 is not red", "b2 is red or blue", "is b2 red?"])
def test_what_is_no_fact_has_no_finding(fact: str) -> None:
    assert facts_in("b2 is red", [fact, "b2 is red"]) == [None, STATED]
    assert perceived("b2 is red", [fact, "b2 is red"]) is None


def test_a_description_that_repeats_its_facts_claims_no_more() -> None:
    once = "b2 is a red circle . the circle is left of the square"
    facts = ["b2 is red", "the circle is left of the square", "a1 is blue"]
    assert facts_in(once, facts) == facts_in(f"{once} . " * 50, facts)


def test_all_of_an_item_is_perceived_or_it_is_not() -> None:
    facts = ["b2 is red", "b2 is a circle"]
    assert perceived("b2 is a red circle", facts) is True
    assert perceived("b2 is red", facts) is False
    assert perceived("b2 is a red circle . b2 is blue", facts) is False
    assert perceived("b2 is a red circle", []) is None


WORDS = [
    *COLOURS, *SHAPES, "small", "large", "a1", "b2", "two", "3", "one", "is", "are", "the", "a", "there", "not", "no",
    "and", "or", ",", ".", ":", "?", "\n", "left of", "right of", "it", "its", "maybe", "which", "things", "but",
    "circles", "row 2", "column b", "empty",
]  # fmt: skip
ALTERNATIVES = [
    [f"b2 is {colour}" for colour in COLOURS],
    [f"the circle is {colour}" for colour in COLOURS],
    ["the circle is at a1", "the circle is at b2"],
    ["b2 is a circle", "b2 is a square", "b2 is empty"],
    ["there are no circles", "there is one circle", "there are two circles", "there are three circles"],
    ["the circle is left of the square", "the square is left of the circle"],
]


@pytest.mark.parametrize("facts", ALTERNATIVES, ids=lambda facts: facts[0])
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(words=st.lists(st.sampled_from(WORDS), max_size=24))
def test_of_facts_that_exclude_each_other_no_description_earns_two(facts: list[str], words: list[str]) -> None:
    seen = [one for one in facts_in(" ".join(words), facts) if one is not None and one.seen]
    assert len(seen) <= 1


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(text=st.text(max_size=60), fact=st.text(max_size=30))
def test_any_text_is_read(text: str, fact: str) -> None:
    assert len(facts_in(text, [fact, "b2 is red"])) == 2
    assert facts_in(text, ["b2 is red"]) == facts_in(text, ["b2 is red"])


@pytest.mark.parametrize(
    "piece", ["b2 ", "red ", "red and ", "not ", "is ", "row 2 ", "1 ", "left of ", "it ", ", ", "?"]
)
def test_a_long_text_has_no_more_claims_than_words(piece: str) -> None:
    assert len(claims_of(piece * 20_000)) <= 3 * 20_000
