"""Table-R1's two scorers as published: the golden vector, the faults that are kept, and how the two differ."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_golds import BARE, ENTAILED, FREE, SENTENCE, TWO, gold, say

from bythebook.errors import RecipeError
from bythebook.rewards import reward
from bythebook.types import Verdict

TRAINING, EVALUATION = reward("table_r1_release"), reward("table_r1_evaluation")
BASE = reward("table_r1_release", form="base")


def paid(text: str, its_gold: str) -> float | None:
    verdict = TRAINING.verdict(text, its_gold)
    assert verdict.value == pytest.approx(sum(part.value for part in verdict.parts.values()))
    return verdict.value


GOLDEN = [
    ('["3"] for 3', say('["3"]'), gold("3"), 2.0),
    ("[3] for 3: a number loses the form", say("[3]"), gold("3"), 1.0),
    ("3 for 3: no list", say("3"), gold("3"), 1.0),
    ('["3.005"] for 3', say('["3.005"]'), gold("3"), 2.0),
    ('["1,000"] for 1000', say('["1,000"]'), gold("1000"), 2.0),
    ('["USA"] for usa', say('["USA"]'), gold("usa"), 1.0),
    ('["b","a"] for a, b', say('["b","a"]'), gold("a", "b"), 2.0),
    ('["a","a"] for a, b', say('["a","a"]'), gold("a", "b"), 1.0),
    ('["50%"] for 0.5', say('["50%"]'), gold("0.5"), 1.0),
    ("a bare object", BARE, gold("3"), 1.0),
    ("a line break at the end", say('["3"]') + "\n", gold("3"), 1.0),
    ("two fences: the first", TWO, gold("3"), 2.0),
    ("two fences: not the second", TWO, gold("4"), 1.0),
    ("no JSON", "<think>so</think><answer>3</answer>", gold("3"), 0.0),
    ("the right label", say('"entailed"'), ENTAILED, 2.0),
    ("the wrong label", say('"refuted"'), ENTAILED, 1.0),
    ("no label", say('"maybe"'), ENTAILED, 0.0),
]


@pytest.mark.parametrize(("text", "its_gold", "total"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN])
def test_the_golden_vector(text: str, its_gold: str, total: float) -> None:
    assert paid(text, its_gold) == total


def test_a_wrong_answer_in_good_form_earns_half_of_everything() -> None:
    assert paid(say('["9"]'), gold("3")) == 1.0
    assert paid(say('["3"]'), gold("3")) == 2.0


def test_a_free_answer_is_scored_by_bleu_and_rouge_and_form_weighs_as_much() -> None:
    assert paid(say(f'"{SENTENCE}"'), FREE) == pytest.approx(2.0)
    verdict = TRAINING.verdict(say('"The Herons won twice."'), FREE)
    assert set(verdict.parts) == {"format", "bleu", "rouge"}
    assert 1.0 < (verdict.value or 0) < 2.0
    assert verdict.status == "wrong"
    assert paid(say('["The Herons won twice,", " in 1998 and in 2000. "]'), FREE) == pytest.approx(2.0)


def test_a_free_answer_that_is_not_found_is_the_whole_response() -> None:
    assert paid(SENTENCE, FREE) == pytest.approx(1.0)
    verdict = TRAINING.verdict(f"<think>so</think><answer>{SENTENCE}</answer>", FREE)
    assert 0.3 < (verdict.value or 0) < 1.0
    assert verdict.parts["bleu"].reason == "read from the whole response"


def test_of_the_references_training_sees_the_first_and_evaluation_all() -> None:
    two = gold("Nobody knows.", SENTENCE, kind="text")
    assert (paid(say(f'"{SENTENCE}"'), two) or 9) < 1.3
    assert EVALUATION.verdict(say(f'"{SENTENCE}"'), two).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "its_gold", "training", "evaluation"),
    [
        (say('["USA"]'), gold("usa"), 1.0, 1.0),
        (say('["USA"]'), gold("uk"), 1.0, 0.0),
        (say('["50%"]'), gold("0.5"), 1.0, 1.0),
        ("so: 3", gold("3"), 0.0, 0.0),
        ('"answer": ["3"]', gold("3"), 0.0, 1.0),
        ('"answer": "entailed"', ENTAILED, 0.0, 1.0),
        ('the "answer": ["3"]', gold("4"), 0.0, 0.0),
        (BARE, gold("3"), 1.0, 1.0),
        ('{"answer": ["3"]}', gold("3"), 1.0, 1.0),
        (say("[]"), gold("3"), 0.0, 0.0),
        (say('["3", null]'), gold("3", "4"), 0.0, 0.0),
        (say("[" + ", ".join(['"3"'] * 101) + "]"), gold(*["3"] * 101), 0.0, 0.0),
        (say("[" + ", ".join(['"3"'] * 100) + "]"), gold(*["3"] * 100), 2.0, 1.0),
        (say('["refuted"]'), ENTAILED, 0.0, 0.0),
        (say('"maybe"', thinking='{"answer": "entailed"}'), ENTAILED, 1.0, 1.0),
    ],
)
def test_reward_and_evaluation_are_two_scorers(text: str, its_gold: str, training: float, evaluation: float) -> None:
    assert paid(text, its_gold) == training
    assert EVALUATION.verdict(text, its_gold).value == evaluation


def test_no_model_judges_misses_again() -> None:
    with pytest.raises(RecipeError, match="has no option judge"):
        reward("table_r1_evaluation", judge="a model")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (say('["3"]'), 1.0),
        (say("[3]"), 1.0),  # the type is not asked for
        (say('["3" "4"]').replace("</think>", ' {"answer": ["3"]} </think>'), 0.8),  # a fence whose JSON does not parse
        (BARE, 0.5),
        (say('["3"]') + "<answer></answer>", 0.3),
        (say('["3"]') + "\n", 0.0),
        ('{"answer": ["3"]}', 0.0),
    ],
)
def test_base_models_are_paid_step_by_step(text: str, form: float) -> None:
    verdict = BASE.verdict(text, gold("3"))
    assert verdict.parts["format"].value == pytest.approx(form)
    assert verdict.value == pytest.approx(form + 1.0)


def test_what_could_not_be_generated_is_not_scored() -> None:
    for judge in (TRAINING, EVALUATION):
        assert judge.verdict(say('["3"]'), None) == Verdict(value=None, status="unscored")
        assert judge.verdict(say('["3"]'), gold("3"), "error").status == "unscored"
    assert TRAINING.verdict("<think>so", gold("3"), "length").status == "truncated"
    assert TRAINING.verdict("<think>so", gold("3")).status == "no_answer"
    assert reward("table_r1", faithful=True).judge == TRAINING.judge


@given(st.lists(st.sampled_from([say('["3"]'), say("3"), BARE, TWO, "<think>", "</answer>", "```json", "x", "\n"]) |
                st.text(max_size=5), max_size=5).map("".join))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_every_text_has_a_verdict_within_bounds(text: str) -> None:
    for its_gold in (gold("3"), ENTAILED, FREE):
        for judge, most in ((TRAINING, 2.0), (BASE, 2.0), (EVALUATION, 1.0)):
            verdict = judge.verdict(text, its_gold)
            assert verdict.value is not None
            assert 0.0 <= verdict.value <= most + 1e-9
            assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
