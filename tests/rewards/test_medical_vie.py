"""The reward of Efficient Medical VIE: its formula as published, and what is mended."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError, RecipeError
from bythebook.rewards import reward, reward_lines
from bythebook.rewards.answers import Monitor, answer_of, gold_text
from bythebook.schema import Gold, Grammar
from bythebook.schema.key_values import Key, KeySchema, KeyValueGold
from bythebook.types import Label, Verdict

SCHEMA = KeySchema(
    keys=(
        Key(name="name"),
        Key(name="age"),
        Key(name="ward"),
        Key(name="rows", many=True, keys=(Key(name="item"), Key(name="result"))),
    )
)
VALUES: dict[str, Any] = {
    "name": "Ada",
    "age": "41",
    "ward": "",
    "rows": [{"item": "zinc", "result": "1.2"}, {"item": "iron", "result": "3.4"}],
}
"""Six leaves that say something, and one that is empty."""
GOLD = KeyValueGold(key_schema=SCHEMA, values=VALUES)
OURS, PAPER = reward("medical_vie"), reward("medical_vie", faithful=True)
SWAPPED = {**VALUES, "rows": VALUES["rows"][::-1]}


def say(values: Any) -> str:
    return f"<think>line by line</think><answer>{values if isinstance(values, str) else json.dumps(values)}</answer>"


def paid(judge: Any, values: Any, gold: KeyValueGold = GOLD) -> float:
    value = judge.verdict(say(values), gold.to_json()).value
    assert value is not None
    return float(value)


def test_faithful_chooses_the_published_formula() -> None:
    assert (OURS.name, PAPER.name) == ("medical_vie", "medical_vie_paper")


@pytest.mark.parametrize(
    ("values", "alpha", "match"),
    [
        (VALUES, 0.5, 1.0),
        (VALUES, 0.3, 1.0),
        ({"name": "Ada"}, 1.0, 1.0),  # precision only: one right pair scores 1
        ({"name": "Ada"}, 0.5, 0.5 + 0.5 / 6),
        ({"name": "Ada"}, 0.0, 1 / 6),
        ({"name": "Ada", "age": "7"}, 0.5, 0.5 / 2 + 0.5 / 6),
        ({"name": "Ada", "age": "7"}, 0.25, 0.25 / 2 + 0.75 / 6),
        ({"name": "Bo"}, 0.5, 0.0),
        ({}, 0.5, 0.0),
    ],
)
def test_the_formula(values: dict[str, Any], alpha: float, match: float) -> None:
    """r = r_format + α·n/|S_p| + (1−α)·n/|S_g| as published; without the 1 for the form where it is mended."""
    assert paid(reward("medical_vie", alpha=alpha), values) == pytest.approx(match)
    assert paid(reward("medical_vie_paper", alpha=alpha), values) == pytest.approx(1.0 + match)


def test_the_verdict_says_what_was_paid_for() -> None:
    verdict = OURS.verdict(say({"name": "Ada", "age": "7"}), GOLD.to_json())
    assert verdict.status == "wrong"
    assert verdict.parts["precision"].reason == "1 of 2 pairs are right"
    assert verdict.parts["recall"].reason == "1 of 6 pairs are found"
    assert {name: part.weight for name, part in verdict.parts.items()} == {"precision": 0.5, "recall": 0.5}


def test_gold_earns_the_most_and_only_it_is_right() -> None:
    for judge, most in ((OURS, 1.0), (PAPER, 2.0)):
        verdict = judge.verdict(say(VALUES), GOLD.to_json())
        assert (verdict.value, verdict.status) == (most, "ok")
        for name in ("name", "age", "rows"):
            less = judge.verdict(say({k: v for k, v in VALUES.items() if k != name}), GOLD.to_json())
            assert less.status == "wrong"
            assert less.value is not None
            assert less.value < most


def test_fault_1_empty_leaves_count_if_asked_for_alone() -> None:
    empty = {"name": "", "age": "", "ward": "", "rows": []}
    assert (paid(OURS, empty), paid(PAPER, empty)) == (0.0, 1.0)
    assert OURS.verdict(say(empty), GOLD.to_json()).status == "no_answer"
    counted = reward("medical_vie_paper", empties="count")
    assert paid(counted, empty) == pytest.approx(1.0 + 0.5 / 4 + 0.5 / 7)
    assert paid(OURS, {**VALUES, "ward": None}) == paid(OURS, VALUES) == 1.0


def test_fault_2_the_paper_punishes_a_list_in_another_order() -> None:
    assert paid(OURS, SWAPPED) == 1.0
    assert paid(PAPER, SWAPPED) == pytest.approx(1.0 + 2 / 6)
    assert paid(reward("medical_vie", lists="index"), SWAPPED) == pytest.approx(2 / 6)
    assert paid(reward("medical_vie_paper", lists="align"), SWAPPED) == 2.0


def test_fault_3_an_object_with_a_key_twice_is_malformed() -> None:
    twice = '{"name": "Bo", "name": "Ada"}'
    verdict = OURS.verdict(say(twice), GOLD.to_json())
    assert (verdict.value, verdict.status, verdict.errors) == (0.0, "malformed", ("repeated_key",))
    assert paid(PAPER, twice) == pytest.approx(1.0 + 0.5 + 0.5 / 6)


def test_fault_4_alpha_is_one_half_unless_said_otherwise() -> None:
    assert (OURS.judge.alpha, PAPER.judge.alpha) == (0.5, 0.5)  # type: ignore[attr-defined]
    for alpha in (-0.1, 1.1):
        with pytest.raises(RecipeError, match="alpha"):
            reward("medical_vie", alpha=alpha)


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", "{}", '{"name": NaN}'])
def test_fault_5_the_form_alone_is_paid_by_the_paper(answer: str) -> None:
    assert (paid(OURS, answer), paid(PAPER, answer)) == (0.0, 1.0)
    assert PAPER.verdict(say(answer), GOLD.to_json()).status == ("no_answer" if answer == "{}" else "malformed")


def test_alpha_orders_answers_by_length() -> None:
    """Recall alone never pays less for saying more, precision alone never less for saying one sure thing."""
    sure = {"name": "Ada"}
    padded = {**VALUES, "more": [str(i) for i in range(50)]}
    by_alpha = {alpha: reward("medical_vie", alpha=alpha) for alpha in (0.0, 0.5, 1.0)}
    assert paid(by_alpha[0.0], padded) == paid(by_alpha[0.0], VALUES) > paid(by_alpha[0.0], sure)
    assert paid(by_alpha[0.5], VALUES) > max(paid(by_alpha[0.5], padded), paid(by_alpha[0.5], sure))
    assert paid(by_alpha[1.0], sure) == paid(by_alpha[1.0], VALUES) > paid(by_alpha[1.0], padded)


@pytest.mark.parametrize(
    ("text", "reason", "status"),
    [
        ("", "stop", "no_answer"),
        ("<think>x", "length", "truncated"),
        (json.dumps(VALUES), "stop", "no_answer"),
        (f"<answer>{json.dumps(VALUES)}</answer>", "stop", "malformed"),
        (f"Well: {say(VALUES)}", "stop", "malformed"),
        (say(json.dumps(VALUES) + " so it is"), "stop", "malformed"),
        (say("{" * 9), "stop", "malformed"),
    ],
)
def test_the_form_is_a_gate(text: str, reason: Any, status: str) -> None:
    verdict = OURS.verdict(text, GOLD.to_json(), reason)
    assert (verdict.value, verdict.status) == (0.0, status)
    assert verdict.parts["format"].gate


def test_text_outside_the_tags_may_be_allowed() -> None:
    text = f"Well: {say(VALUES)}"
    assert reward("medical_vie", anchored=False).verdict(text, GOLD.to_json()).value == 1.0


def test_a_failed_generation_and_an_absent_gold_are_unscored() -> None:
    for judge in (OURS, PAPER):
        assert judge.verdict(say(VALUES), GOLD.to_json(), "error").status == "unscored"
        assert judge.verdict(say(VALUES), None) == Verdict(value=None, status="unscored")


def test_a_document_that_states_nothing() -> None:
    nothing = KeyValueGold(key_schema=SCHEMA, values={"name": ""})
    verdict = OURS.verdict(say({}), nothing.to_json())
    assert (verdict.value, verdict.status) == (1.0, "ok")
    assert OURS.verdict(say({"name": "Ada"}), nothing.to_json()).value == 0.0
    assert OURS.verdict("", nothing.to_json()).value == 0.0
    assert paid(PAPER, {}, nothing) == 1.0  # the formula pays nothing where S_p is empty


def test_keys_that_are_not_asked_for_cost_precision() -> None:
    one = KeyValueGold(key_schema=SCHEMA.restricted(["name"]), values={"name": "Ada"})
    verdict = OURS.verdict(say(VALUES), one.to_json())
    assert verdict.value == pytest.approx(0.5 / 6 + 0.5)
    assert verdict.errors == ("unknown_key",)


def test_a_reward_on_labels_refuses_this_gold_and_this_one_refuses_labels() -> None:
    with pytest.raises(DataError, match="not by a gold key_values"):
        reward("r1_re").verdict("x", GOLD.to_json())
    label = Gold(label=Label(name="A", direction="(e1,e2)"), grammar=Grammar(relations=("A",)))
    with pytest.raises(DataError, match="judges by a gold key_values"):
        OURS.verdict("x", label.to_json())


def test_an_answer_beside_its_gold_as_a_record_has_it() -> None:
    found = answer_of(PAPER, say(SWAPPED), GOLD)
    assert (found.correct, found.counts, found.well_formed) == (True, {"key_values": (6, 0, 0)}, True)
    assert json.loads(found.text or "") == SWAPPED
    assert json.loads(gold_text(GOLD)) == VALUES
    assert Monitor()(say({"name": "Bo"}), GOLD).counts == {"key_values": (0, 1, 6)}
    broken = Monitor()("", GOLD)
    assert (broken.text, broken.correct, broken.counts) == (None, False, {"key_values": (0, 0, 6)})


def test_verdicts_of_a_file(tmp_path: Any) -> None:
    file = tmp_path / "c.jsonl"
    rows = [{"completion": say(VALUES), "gold": gold} for gold in (GOLD.to_json(), json.loads(GOLD.to_json()), None)]
    file.write_text("\n".join(map(json.dumps, rows)))
    assert [v["value"] for v in reward_lines("medical_vie", file)] == [1.0, 1.0, None]


@pytest.mark.parametrize("name", ["medical_vie", "medical_vie_paper"])
@pytest.mark.parametrize(
    "text", [say(VALUES), say({"name": "Ada"}), say(""), "", "<think>", say('{"name": 1, "name": 2}')]
)
def test_parts_add_up_two_runs_and_a_pickled_copy_are_equal(name: str, text: str) -> None:
    judge = reward(name)
    verdict = judge.verdict(text, GOLD.to_json())
    assert sum(part.value for part in verdict.parts.values()) == verdict.value
    assert pickle.loads(pickle.dumps(judge)).verdict(text, GOLD.to_json()) == verdict  # noqa: S301
    assert judge([""], [text], [GOLD.to_json()]) == [verdict.value]


LEAVES = st.sampled_from(["", "Ada", "41", "zinc", "1.2"])
ROWS = st.lists(st.fixed_dictionaries({"item": LEAVES, "result": LEAVES}), max_size=3)
ANSWERS = st.fixed_dictionaries({}, optional={"name": LEAVES, "age": LEAVES, "rows": ROWS})


@settings(deadline=None)
@given(ANSWERS, ANSWERS, st.sampled_from([0.25, 0.5, 0.75]))
def test_something_wrong_beside_it_always_costs(answer: dict[str, Any], gold: dict[str, Any], alpha: float) -> None:
    judge, wanted = reward("medical_vie", alpha=alpha), KeyValueGold(key_schema=SCHEMA, values=gold)
    plain, more = paid(judge, answer, wanted), paid(judge, {**answer, "ward": "wrong"}, wanted)
    assert 0.0 <= more <= plain <= 1.0
    assert more < plain or plain == 0.0
    assert paid(judge, {**answer, "ward": " "}, wanted) == plain


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_only_an_answer_without_a_mistake_earns_all(answer: dict[str, Any], gold: dict[str, Any]) -> None:
    verdict = OURS.verdict(say(answer), KeyValueGold(key_schema=SCHEMA, values=gold).to_json())
    assert (verdict.value == 1.0) == verdict.correct
