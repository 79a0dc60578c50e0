"""Words of a clause in a model's reasoning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.guidelines import load_from_library, parse_guideline
from bythebook.report.clauses import Book
from bythebook.report.quotes import QuoteFinder, thinking_of

_TEXT = """# Workshop

- Version: 1
- Domain: workshop

## Relation type: Dima-Hul
### Definition
e1 repairs e2.
e1 inspects e2.
### Restrictions
- unless allegedly
- unless the tool belongs to a person who merely carries it for someone else

## No relation: Other

no rule applies
"""


@pytest.fixture(scope="module")
def finder() -> QuoteFinder:
    return QuoteFinder(Book(parse_guideline(_TEXT)))


@pytest.mark.parametrize(
    ("reasoning", "quoted"),
    [
        ("e1 inspects e2 here", {0: "inspects"}),
        ("saw ALLEGEDLY yes", {1: "allegedly"}),
        ("He merely carries it for someone else, I think.", {1: "merely carries it for someone else"}),
        # Two words in a row are not enough; neither are function words and label names.
        ("the tool is heavy", {}),
        ("Dima-Hul(e1,e2) for some of the e1 and e2", {}),
        ("no rule applies", {2: "no rule applies"}),
        ("applies, as a rule", {2: "rule … applies"}),
        ("the rule is clear", {}),
        ("", {}),
    ],
)
def test_a_clause_is_quoted_where_its_words_stand(finder: QuoteFinder, reasoning: str, quoted: dict[int, str]) -> None:
    assert finder.quoted(reasoning) == quoted


def test_of_several_runs_the_longest_is_shown(finder: QuoteFinder) -> None:
    text = "tool belongs to a chef; but the tool belongs to a person who merely carries it, so no"
    assert finder.quoted(text) == {1: "the tool belongs to a person who merely carries it"}


@pytest.mark.parametrize(
    ("completion", "thinking"),
    [
        ("<think>a b</think><answer>c</answer>", "a b"),
        ("a b</think><answer>c</answer>", "a b"),  # the opening tag stood in the prompt
        ("<think>never closed", "never closed"),
        ("<answer>c</answer>", ""),
        ("", ""),
    ],
)
def test_thinking_is_what_stands_before_its_end(completion: str, thinking: str) -> None:
    assert thinking_of(completion) == thinking


@given(st.text(max_size=400))
def test_any_reasoning_is_read(text: str) -> None:
    book = Book(load_from_library("semeval2010"))
    assert all(0 <= i < len(book.clauses) and words for i, words in QuoteFinder(book).quoted(text).items())
