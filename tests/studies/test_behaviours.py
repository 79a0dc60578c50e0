"""The tagger of reasoning traces: its rules, its agreement with labelled traces, and that no text slows it down."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.studies.r1_re.behaviours import BEHAVIOURS, MAX_SPANS, tag_behaviours, thinking_span
from bythebook.types import Span


class Agreement(NamedTuple):
    precision: float
    recall: float


def _agreement(rows: list[dict[str, object]]) -> tuple[Agreement, dict[str, Agreement]]:
    """Over all pairs of trace and behaviour, and by behaviour."""
    both, tagged, labelled = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        found, gold = set(tag_behaviours(str(row["thinking"])).present), set(row["behaviours"])  # type: ignore[call-overload]
        both.update(found & gold)
        tagged.update(found)
        labelled.update(gold)
    each = {b: Agreement(both[b] / max(1, tagged[b]), both[b] / max(1, labelled[b])) for b in BEHAVIOURS}
    return Agreement(both.total() / tagged.total(), both.total() / labelled.total()), each


def _traces(fixtures: Path, split: str) -> list[dict[str, object]]:
    lines = (fixtures / "behaviours" / "traces.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["split"] == split]


@pytest.mark.parametrize(("split", "precision", "recall"), [("dev", 0.95, 0.95), ("test", 0.9, 0.85)])
def test_it_agrees_with_labelled_traces(
    split: str, precision: float, recall: float, fixtures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _traces(fixtures, split)
    assert len(rows) == 24
    overall, each = _agreement(rows)
    with capsys.disabled():
        shown = "  ".join(f"{b} {a.precision:.2f}/{a.recall:.2f}" for b, a in each.items())
        print(f"\n{split}: precision/recall {overall.precision:.3f}/{overall.recall:.3f}; {shown}")
    assert overall.precision >= precision
    assert overall.recall >= recall
    # Every behaviour is found somewhere and missing somewhere, so that a tagger which always says yes would fail.
    assert all(0 < sum(b in row["behaviours"] for row in rows) < len(rows) for b in BEHAVIOURS)  # type: ignore[operator]


def test_a_tagger_that_always_says_yes_would_not_pass(fixtures: Path) -> None:
    rows = _traces(fixtures, "test")
    share = sum(len(row["behaviours"]) for row in rows) / (len(rows) * len(BEHAVIOURS))  # type: ignore[arg-type]
    assert share < 0.6


TERSE = {
    "feeds Kora-Vel(e1,e2); e1 acts": "identify compare hypothesise",
    "breaks Solu-Pod(e2,e1) unless ideally; saw ideally yes": "compare hypothesise verify",
    "no rule": "compare",
    "guess": "",
}


@pytest.mark.parametrize("thinking", TERSE)
def test_the_embedded_models_terse_reasoning_is_read(thinking: str) -> None:
    assert " ".join(tag_behaviours(thinking).present) == TERSE[thinking]


def test_a_place_is_where_the_words_stand() -> None:
    text = "It is hot. The guideline says so; perhaps A-B."
    tagged = tag_behaviours(text)
    assert [span.of(text) for span in tagged.compare] == ["guideline"]
    assert [span.of(text) for span in tagged.hypothesise] == ["perhaps"]
    assert tagged.verify == ()


def test_the_guidelines_own_names_are_known_even_where_they_look_like_no_name() -> None:
    assert "conclude" not in tag_behaviours("Therefore R7 (x)").present
    assert "conclude" in tag_behaviours("Therefore R7 (x)", ["R7"]).present
    assert "conclude" not in tag_behaviours("Therefore R7 (x)", ["R(7|8)", "["]).present


@pytest.mark.parametrize(
    ("completion", "thinking"),
    [
        ("<think>a</think><answer>b</answer>", "a"),
        ("a</think><answer>b</answer>", "a"),
        ("<think>a<answer>b</answer>", "a"),
        ("a", "a"),
        ("<answer>b</answer>", ""),
        ("x<think>a<think>b</think>", "a<think>b"),
        ("", ""),
    ],
)
def test_the_reasoning_of_a_completion_is_found(completion: str, thinking: str) -> None:
    assert thinking_span(completion).of(completion) == thinking


@given(st.text(max_size=300), st.lists(st.text(max_size=12), max_size=4))
def test_any_text_is_read(text: str, labels: list[str]) -> None:
    tagged = tag_behaviours(text, labels)
    for behaviour in BEHAVIOURS:
        places = tagged.places(behaviour)
        assert all(isinstance(span, Span) and span.end <= len(text) for span in places)
        assert list(places) == sorted(places, key=lambda span: span.start)
    assert thinking_span(text).end <= len(text)


def test_places_are_counted_up_to_a_limit() -> None:
    assert len(tag_behaviours("perhaps. " * (MAX_SPANS + 9)).hypothesise) == MAX_SPANS


ADVERSARIAL = (
    "so ",
    "e1 ",
    "head ",
    "(",
    "Kora-",
    "a_",
    " … ",
    "perhaps. ",
    "Kora-Vel(e1,",
    "the two ",
    "a. ",
    "\n",
    "is a ",
)


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_calls_grow_no_faster_than_the_text(piece: str) -> None:
    tag_behaviours("")  # patterns are compiled once
    small = _calls(lambda: tag_behaviours(piece * (8_000 // len(piece))))
    large = _calls(lambda: tag_behaviours(piece * (32_000 // len(piece))))
    assert large <= 4 * small + 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_a_hundred_thousand_characters_are_read(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    assert max(len(tag_behaviours(text).places(b)) for b in BEHAVIOURS) <= MAX_SPANS
