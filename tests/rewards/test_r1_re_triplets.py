"""R1-RE's reward of triplet extraction: the form, then two F1s."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from bythebook.rewards import R1RETriplets, reward
from bythebook.studies.attack.attempts import say, wrapped, wrong
from bythebook.studies.attack.items import ITEMS, Item
from bythebook.types import Verdict

BY_NAME = {item.name: item for item in ITEMS}
TWO = BY_NAME["two relations"]
E, R = list(TWO.entities), list(TWO.relations)


def judge(completion: str, item: Item = TWO, **options: Any) -> Verdict:
    return reward("r1_re_triplets", **options).verdict(completion, item.gold_json)


@pytest.mark.parametrize(
    ("entities", "relations", "value", "status"),
    [
        (E, R, 3.0, "ok"),
        (TWO.wrong_entities, TWO.wrong_relations, -0.5, "wrong"),
        ([], [], -0.5, "wrong"),
        (E, [], -0.5 + 3.5 / 2, "wrong"),
        ([], R, -0.5 + 3.5 / 2, "wrong"),
        (E[:1], R[:1], -0.5 + 3.5 * (0.5 / 2 + 2 / 3 / 2), "wrong"),
        (E * 3, R * 3, 3.0, "ok"),
    ],
)
def test_the_metric_is_a_weighted_sum_of_two_f1s(entities: Any, relations: Any, value: float, status: str) -> None:
    found = judge(say(TWO, entities, relations))
    assert (found.value, found.status) == (pytest.approx(value), status)
    assert list(found.parts) == ["format", "wrong", "entities", "triples"]


@pytest.mark.parametrize(
    ("completion", "status"),
    [
        ("", "no_answer"),
        ("<think>x</think>", "no_answer"),
        (f"<answer>{json.dumps({'ner': E, 'rel': R})}</answer>", "malformed"),
        (wrapped(json.dumps({"ner": E})), "malformed"),
        (wrapped(json.dumps({"ner": [*E, 5], "rel": R})), "malformed"),
        (wrapped(json.dumps({"ner": E, "rel": R})[:-1]), "malformed"),
        (wrapped("none"), "malformed"),
        (wrong(TWO) * 2, "malformed"),
    ],
)
def test_a_bad_form_is_a_gate(completion: str, status: str) -> None:
    found = judge(completion)
    assert (found.value, found.status, list(found.parts)) == (-3.0, status, ["format"])
    assert found.parts["format"].gate
    assert found.parts["format"].reason


def test_a_fence_is_a_good_form() -> None:
    assert judge(wrapped(f"```json\n{json.dumps({'ner': E, 'rel': R})}\n```")).value == 3.0


def test_weights_need_not_add_up_to_one() -> None:
    assert judge(say(TWO, E, []), entity_weight=3.0, triple_weight=1.0).value == pytest.approx(-0.5 + 3.5 * 0.75)
    assert judge(say(TWO, E, []), triple_weight=0.0).value == pytest.approx(3.0)


@pytest.mark.parametrize(("name", "options"), [("entities only", {"entity_weight": 0.0}), ("relations only", {})])
def test_a_sub_task_of_one_half_is_scored_by_that_half(name: str, options: dict[str, float]) -> None:
    item = BY_NAME[name]
    assert judge(say(item, item.entities, item.relations), item, **options).value == pytest.approx(3.0)
    assert judge(wrong(item), item, **options).value == pytest.approx(-0.5)


def test_anchored_allows_white_space_alone_outside_the_tags() -> None:
    assert judge("\n" + say(TWO, E, R), anchored=True).value == 3.0
    found = judge("So: " + say(TWO, E, R), anchored=True)
    assert (found.value, found.status, found.parts["format"].reason) == (-3.0, "malformed", "text outside the tags")


def test_an_empty_answer_is_right_where_the_gold_is_empty() -> None:
    item = BY_NAME["nothing to find"]
    assert judge(say(item, (), ()), item).value == 3.0


@pytest.mark.parametrize(
    "terms", [{"right": -0.5}, {"wrong": -4.0}, {"entity_weight": -1.0}, {"entity_weight": 0.0, "triple_weight": 0.0}]
)
def test_terms_that_would_pay_a_wrong_answer_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        R1RETriplets.model_validate(terms)
