"""Records before and after training, paired by id and sample."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.evaluation.change import changed, described
from bythebook.records import Record

FACTS = ["the circle is at b2", "the circle is red"]
SEEN = "<think>b2 is a red circle</think><answer>red</answer>"


def record(name: str, correct: bool | None = True, sample: int = 0, **fields: Any) -> Record:
    given = {"domain": "d", "well_formed": True, "status": "ok", "tags": {"annotations": json.dumps(FACTS)}, **fields}
    return Record(schema="bythebook.prediction/1", id=name, sample=sample, correct=correct, **given)


def test_records_are_paired_by_id_and_sample_whatever_their_order() -> None:
    before = [record("a", False), record("a", True, 1), record("b", False), record("only before")]
    after = [record("b", True), record("a", False, 1), record("a", True), record("only after")]
    found = changed(before, after)
    assert found is not None
    assert (found.both, found.lost, found.gained, found.neither) == (0, 1, 2, 0)


def test_the_headline_of_perception_r1() -> None:
    was = [True] * 2 + [False] * 10 + [True] * 38
    now = [False] * 2 + [True] * 10 + [True] * 38
    sides = [[record(str(i), right) for i, right in enumerate(side)] for side in (was, now)]
    found = changed(*sides)
    assert found is not None
    assert (found.n, round(found.p, 4)) == (50, 0.0386)


def test_without_pairs_or_changes_there_is_none() -> None:
    assert changed([], []) is None
    assert changed([record("a")], [record("b", False)]) is None
    assert changed([record("a")], [record("a")]) is None
    assert changed([record("a", None)], [record("a", False)]) is None


def test_a_sample_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataError, match="sample 0 of 'a' stands twice"):
        changed([record("a"), record("a")], [record("a")])


@pytest.mark.parametrize(
    ("completion", "found"),
    [
        (SEEN, True),
        ("<think>b2 is a blue circle</think><answer>red</answer>", False),
        ("<think>b2 is a red circle . b2 is blue</think><answer>red</answer>", False),
        ("<answer>b2 is a red circle</answer>", False),
        ("<think>b2 is a red circle", False),
        ("", False),
    ],
)
def test_what_is_described_is_every_fact_and_nothing_to_the_contrary(completion: str, found: bool) -> None:
    assert described(record("a", completion=completion)) is found


def test_what_can_not_be_said_is_left_out() -> None:
    assert described(record("a")) is None
    assert described(record("a", completion="", finish_reason="error")) is None
    assert described(record("a", completion=SEEN, tags={})) is None
    assert described(record("a", completion=SEEN, tags={"annotations": '["nothing to be read"]'})) is None
    for bad in ("[1]", "{}", "[", '"b2 is red"'):
        with pytest.raises(DataError, match="no list of texts"):
            described(record("a", completion=SEEN, tags={"annotations": bad}))


def test_a_prompt_that_opens_the_thinking_is_known() -> None:
    one = record("a", completion=SEEN.removeprefix("<think>"))
    assert described(one) is False
    assert described(one, prefilled=True) is True


def test_descriptions_are_tested_as_answers_are() -> None:
    blind = [record(str(i), completion="<think>a guess</think><answer>red</answer>") for i in range(8)]
    seeing = [record(str(i), completion=SEEN) for i in range(8)]
    assert changed(blind, seeing) is None  # the answers were right before
    found = changed(blind, seeing, partial(described, prefilled=False))
    assert found is not None
    assert (found.gained, found.lost, found.p) == (8, 0, 2 / 256)
