from __future__ import annotations

import time

import pytest

from bythebook.readers.sentences import sentence_around


def around(marked: str) -> str:
    """The sentence around what stands between the first `[` and the last `]`."""
    before, within = marked[: marked.index("[")], marked[marked.index("[") : marked.rindex("]")]
    text, inner = (x.replace("[", "").replace("]", "") for x in (marked, within))
    start, end = len(before), len(before) + len(inner)
    return sentence_around(text, start, end).of(text)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("One. [Two] and [three]. Four.", "Two and three."),
        ("One . [Two] and [three] . Four .", "Two and three ."),
        ("[Two] and [three]", "Two and three"),
        ("First one! Is [two] [three]? Yes.", "Is two three?"),
        ('He said so.) The [two] [three]." Then.', 'The two three."'),
        ("See e.g. Smith for [two] of [three] et al. Then [x]", "See e.g. Smith for two of three et al. Then x"),
        ("By Dr. Smith, [two] in Fig. 3 and [three]. End.", "By Dr. Smith, two in Fig. 3 and three."),
        ("A rate of [3.5 per cent] in [two]. 14 more.", "A rate of 3.5 per cent in two."),
        ("One. [Two vs. three]. Four.", "Two vs. three."),
        ("One. [Two is long. Three]. Four.", "Two is long. Three."),
        ("One.   [two]", "One.   two"),
        ("One. [Acme Inc.] Two.", "Acme Inc."),
        ("[a]", "a"),
    ],
)
def test_the_sentence_around_the_mentions(marked: str, expected: str) -> None:
    assert around(marked) == expected


def test_mentions_are_never_cut_and_time_is_linear() -> None:
    text = "Ab. " * 20_000
    started = time.perf_counter()
    for start in range(0, len(text) - 6, 4_000):
        span = sentence_around(text, start + 1, start + 6)
        assert span.start <= start + 1
        assert span.end >= start + 6
    assert time.perf_counter() - started < 20
