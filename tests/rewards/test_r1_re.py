"""R1-RE's reward: the published totals, their parts, and the variants."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bythebook.rewards import R1RE, R1REAnchored, TextReward
from bythebook.schema import Gold, Grammar
from bythebook.types import FinishReason, Label, Status, Verdict

GRAMMAR = Grammar(relations=("Cause-Effect", "R7", "near"), symmetric=("near",), no_relation="Other")
GOLD = Gold(label=Label(name="R7", direction="(e1,e2)"), grammar=GRAMMAR)


def judge(text: str, gold: Gold | None = GOLD, reason: FinishReason = "stop", judge: R1RE | None = None) -> Verdict:
    return TextReward("r1_re", judge or R1RE()).verdict(text, None if gold is None else gold.to_json(), reason)


def answer(written: str) -> str:
    return f"<think>why</think><answer>{written}</answer>"


@pytest.mark.parametrize(
    ("written", "value", "status", "parts"),
    [
        ("R7(e1,e2)", 3.0, "ok", {"format": 1.0, "metric": 2.0}),
        ("R7(e2,e1)", -0.5, "wrong", {"format": 1.0, "metric": -1.5}),
        ("Cause-Effect(e1,e2)", -0.5, "wrong", {"format": 1.0, "metric": -1.5}),
        ("Unheard-Of(e1,e2)", -0.5, "wrong", {"format": 1.0, "metric": -1.5}),
        ("Other", -0.5, "wrong", {"format": 1.0, "metric": -1.5}),
        ("R7", -3.0, "malformed", {"format": -3.0}),
        ("", -3.0, "malformed", {"format": -3.0}),
    ],
)
def test_the_published_totals_and_their_parts(
    written: str, value: float, status: Status, parts: dict[str, float]
) -> None:
    verdict = judge(answer(written))
    assert (verdict.value, verdict.status) == (value, status)
    assert {name: part.value for name, part in verdict.parts.items()} == parts
    assert verdict.parts["format"].gate is (status == "malformed")


@pytest.mark.parametrize(
    ("text", "reason", "status"),
    [
        ("", "stop", "no_answer"),
        ("R7(e1,e2)", "stop", "no_answer"),
        ("<think>why</think><answer>R7(e1,e2)", "stop", "no_answer"),
        ("<think>why and", "length", "truncated"),
        ("<answer>R7(e1,e2)</answer>", "stop", "malformed"),
        ("<answer>R7(e1,e2)</answer>", "length", "truncated"),
        (answer("R7(e1,e2)") + "</answer>", "stop", "malformed"),
        (answer("R7(e1,e2)") * 2, "stop", "malformed"),
        ("<think><answer>R7(e1,e2)</answer></think>", "stop", "malformed"),
        ("<answer>R7(e1,e2)</answer><think>why</think>", "stop", "malformed"),
    ],
)
def test_a_bad_form_costs_three_whatever_is_wrong_with_it(text: str, reason: FinishReason, status: Status) -> None:
    verdict = judge(text, reason=reason)
    assert (verdict.value, verdict.status) == (-3.0, status)
    assert list(verdict.parts) == ["format"]
    assert verdict.errors


def test_a_finished_answer_at_the_length_limit_is_paid() -> None:
    assert judge(answer("R7(e1,e2)"), reason="length").value == 3.0


@pytest.mark.parametrize("written", ["near(e1,e2)", "near(e2,e1)"])
@pytest.mark.parametrize("direction", ["(e1,e2)", "(e2,e1)"])
def test_a_symmetric_relation_is_right_in_both_directions(written: str, direction: str) -> None:
    label = Label.model_validate({"name": "near", "direction": direction})
    assert judge(answer(written), Gold(label=label, grammar=GRAMMAR)).value == 3.0


def test_the_no_relation_label_is_right_only_when_bare() -> None:
    gold = Gold(label=Label(name="Other"), grammar=GRAMMAR)
    assert judge(answer("Other"), gold).status == "ok"
    assert judge(answer("Other(e1,e2)"), gold).value == -0.5
    without = Gold(label=GOLD.label, grammar=Grammar(relations=("R7",)))
    assert judge(answer("Other"), without).value == -3.0


def test_the_scale_of_the_ablation() -> None:
    scale = R1RE(bad_format=-3, wrong=-1, right=3)
    assert [judge(t, judge=scale).value for t in ("", answer("Other"), answer("R7(e1,e2)"))] == [-3.0, -1.0, 3.0]


def test_anchored_allows_white_space_alone_outside_the_tags() -> None:
    strict = R1REAnchored()
    assert judge("\n" + answer("R7(e1,e2)") + "\n<|im_end|>", judge=strict).value == 3.0
    outside = judge("So: " + answer("R7(e1,e2)"), judge=strict)
    assert (outside.value, outside.status, outside.parts["format"].reason) == (
        -3.0,
        "malformed",
        "text outside the tags",
    )
    assert judge("So: " + answer("R7(e1,e2)")).value == 3.0


def test_the_logic_rl_variant_pays_minus_one_for_right_tags_around_no_label() -> None:
    variant = R1RE(unparseable=-1.0)
    verdict = judge(answer("cause"), judge=variant)
    assert (verdict.value, verdict.status) == (-1.0, "malformed")
    assert {name: part.value for name, part in verdict.parts.items()} == {"format": 1.0, "metric": -2.0}
    assert judge("<answer>cause</answer>", judge=variant).value == -3.0
    assert judge("So: " + answer("cause"), judge=R1RE(unparseable=-1.0, anchored=True)).value == -3.0


def test_without_gold_or_after_a_failed_generation_nothing_is_scored() -> None:
    assert judge(answer("R7(e1,e2)"), gold=None) == Verdict(value=None, status="unscored")
    assert judge(answer("R7(e1,e2)"), reason="error").value is None


@pytest.mark.parametrize(
    "terms",
    [
        {"right": -0.5},
        {"wrong": -4.0},
        {"right": float("nan")},
        {"right": float("inf")},
        {"unparseable": 3.0},
        {"rihgt": 3.0},
    ],
)
def test_terms_that_would_pay_a_wrong_answer_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        R1RE.model_validate(terms)
