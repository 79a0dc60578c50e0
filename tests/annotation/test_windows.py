from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.annotation.windows import pieces, windows
from bythebook.errors import InputError
from bythebook.types import Span

TEXTS = st.text(st.sampled_from("ab C.!?\n…\"') 。」é\t"), max_size=300)


def shown(text: str, *arguments: int) -> list[str]:
    return [w.of(text) for w in windows(text, *arguments)]


def test_a_text_that_fits_is_one_window_with_its_white_space() -> None:
    assert windows(" Short. ", 16) == [Span(start=0, end=8)]
    assert windows("", 16) == [Span(start=0, end=0)]


def test_windows_are_whole_sentences_and_share_whole_sentences() -> None:
    text = "The pump ran. Ann saw it. The press stopped. Bo left."
    assert shown(text, 30) == ["The pump ran. Ann saw it.", "The press stopped. Bo left."]
    assert shown(text, 32, 15) == [
        "The pump ran. Ann saw it.",
        "Ann saw it. The press stopped.",
        "Bo left.",
    ]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We saw Dr. Bell. He left.", ["We saw Dr. Bell. ", "He left."]),
        ("It took 3.5 hours. Then it broke.", ["It took 3.5 hours. ", "Then it broke."]),
        ("He ran, etc. and left. So what?", ["He ran, etc. and left. ", "So what?"]),
        ("“Is it?” Yes.", ["“Is it?” ", "Yes."]),
        ("水泵供水。锅炉加热。", ["水泵供水。", "锅炉加热。"]),
        ("A heading\nThen a line\nthat is wrapped.", ["A heading\n", "Then a line\nthat is wrapped."]),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    cuts = pieces(text, 100)
    assert [text[a:b] for a, b in pairwise(cuts)] == sentences


def test_a_sentence_longer_than_a_window_is_cut_at_white_space_and_a_longer_word_anywhere() -> None:
    assert shown("one two three four five six", 16) == ["one two three", "four five six"]
    assert shown("x" * 40, 16) == ["x" * 16, "x" * 16, "x" * 8]


def test_nothing_is_cut_within_a_span_that_has_to_stay_whole() -> None:
    text = "It was J. F. Sebastian Rosen who came. He left again."
    span = Span(start=7, end=29)
    assert span.of(text) == "J. F. Sebastian Rosen "
    cuts = pieces(text, 16, [span])
    assert not [c for c in cuts if span.start < c < span.end]
    assert any(w.start <= span.start and span.end <= w.end + 1 for w in windows(text, 16, 0, [span]))


@pytest.mark.parametrize(("size", "overlap"), [(15, 0), (0, 0), (100, 51), (100, -1)])
def test_sizes_that_can_not_be_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(InputError, match="characters"):
        windows("text", size, overlap)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(16, 60), st.integers(0, 30))
def test_windows_cover_the_text_in_order_and_none_is_too_long(text: str, size: int, overlap: int) -> None:
    found = windows(text, size, min(overlap, size // 2))
    assert all(w.end - w.start <= size for w in found)
    covered = {i for w in found for i in range(w.start, w.end)}
    assert all(i in covered or text[i].isspace() for i in range(len(text)))
    for a, b in pairwise(found):
        assert a.start < b.start
        assert a.end < b.end
        assert a.end - b.start <= overlap


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(16, 60), st.data())
def test_every_offset_of_a_window_maps_back(text: str, size: int, data: st.DataObject) -> None:
    for window in windows(text, size, size // 3):
        shown = window.of(text)
        start = data.draw(st.integers(0, len(shown)))
        assert shown[start : start + 5] == text[window.start + start : min(window.start + start + 5, window.end)]


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(16, 60), st.lists(st.tuples(st.integers(0, 280), st.integers(1, 40)), max_size=5))
def test_spans_that_have_to_stay_whole_lie_in_a_window(
    text: str, size: int, given_spans: list[tuple[int, int]]
) -> None:
    spans = [Span(start=s, end=min(len(text), s + n)) for s, n in given_spans if s < len(text)]
    mentions = [s for s in spans if s.of(text) == s.of(text).strip()]
    found = windows(text, size, 0, spans)
    assert all(any(w.start <= s.start and s.end <= w.end for w in found) for s in mentions)


def test_a_long_text_takes_time_in_proportion() -> None:
    # No clock: the number of windows, each made once, is what the work is proportional to.
    text = "One more sentence stands here. " * 20_000
    assert len(windows(text, 2_000, 400)) < 2 * len(text) / 1_500
    assert len(windows("." * 100_000, 100, 50)) == 1_000
