from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.schema.json_text import depth_and_nodes, read_object

TREES = st.recursive(
    st.none() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def values_of(text: str) -> Any:
    found = read_object(text, 0, len(text))
    return None if found is None else found.values


def test_numbers_keep_their_digits_and_words_their_meaning() -> None:
    assert values_of('{"a": 9.00, "b": 1e5, "c": -0, "d": true, "e": null}') == {
        "a": "9.00",
        "b": "1e5",
        "c": "-0",
        "d": True,
        "e": None,
    }


def test_a_number_of_a_million_digits_is_a_text() -> None:
    assert values_of('{"a": ' + "7" * 1_000_000 + "}") == {"a": "7" * 1_000_000}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_no_json_are_refused(constant: str) -> None:
    assert values_of(f'{{"a": {constant}}}') is None


def test_repeated_keys_are_counted_and_the_last_one_is_kept() -> None:
    text = '{"a": 1, "a": 2, "b": [{"c": 1, "c": 1, "c": 3}]}'
    found = read_object(text, 0, len(text))
    assert found is not None
    assert (found.repeated, found.values) == (3, {"a": "2", "b": [{"c": "3"}]})


def test_keys_that_become_one_by_cleaning_are_repeated() -> None:
    text = '{"\\ud800": 1, "\\ufffd": 2}'
    found = read_object(text, 0, len(text))
    assert found is not None
    assert found.repeated == 1


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"a"}', "{'a': 1}", '{"a": 1,}', '{"a":' * 100_000, "[" * 9])
def test_what_is_no_object_is_none(text: str) -> None:
    assert values_of(text) is None


def test_what_stands_behind_the_end_is_not_looked_at() -> None:
    text = 'x{"a": "}"} and {'
    found = read_object(text, 1, len(text))
    assert found is not None
    assert text[1 : found.end] == '{"a": "}"}'
    assert read_object(text, 1, 9) is None


def test_depth_and_nodes() -> None:
    assert depth_and_nodes("leaf") == (0, 1)
    assert depth_and_nodes({}) == (1, 1)
    assert depth_and_nodes({"a": [{"b": "c"}], "d": None}) == (3, 5)
    deep: Any = "leaf"
    for _ in range(50_000):
        deep = [deep]
    assert depth_and_nodes(deep) == (50_000, 50_001)
    while isinstance(deep, list):  # taken apart by hand: the interpreter would recurse
        deep = deep.pop()


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=4), TREES, max_size=4))
def test_every_tree_of_texts_comes_back(tree: dict[str, Any]) -> None:
    assert values_of(json.dumps(tree)) == tree


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:\\ \n0eE.-+abntrufls\ud800', max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    found = read_object(text, 0, len(text))
    assert found is None or 0 < found.end <= len(text)
