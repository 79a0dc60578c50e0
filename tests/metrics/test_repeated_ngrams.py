"""The share of a text that says the same again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.repeated_ngrams import repeated_share


@pytest.mark.parametrize(
    ("text", "penalty"),
    [
        ("a b c d e " * 40, -1.9448),
        ("x " * 25, -1.6667),
        (" ".join(map(str, range(200))), 0.0),
        ("x " * 19, 0.0),
        ("x " * 20, 0.0),
        ("X x " * 11, -2 * (1 - 1 / 3)),
        ("", 0.0),
    ],
)
def test_the_penalties_of_perception_r1(text: str, penalty: float) -> None:
    assert -2 * repeated_share(text) == pytest.approx(penalty, abs=5e-5)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(words=st.lists(st.sampled_from("a b A c\n d".split(" ")), max_size=30), window=st.integers(1, 6))
def test_it_is_one_minus_the_share_of_different_runs(words: list[str], window: int) -> None:
    said = " ".join(words).lower().split()
    runs = [tuple(said[i : i + window]) for i in range(len(said) - window + 1)]
    expected = 1 - len(set(runs)) / len(runs) if runs else 0.0
    assert repeated_share(" ".join(words), window) == pytest.approx(expected)


def test_a_window_has_words() -> None:
    with pytest.raises(ValueError, match="0 words"):
        repeated_share("a", 0)
