"""Free-text fields of the procedural world: the sentences of `world`, answers in phrases of which several are right."""

from __future__ import annotations

import random

from bythebook.judging import Case, RuleJudge
from bythebook.prompts import PromptStyle, render
from bythebook.rewards import reward
from bythebook.rewards.answers import gold_text
from bythebook.schema import gold_of
from bythebook.schema.answers import AnswerGold
from bythebook.tasks import task_named, world
from bythebook.tasks.world.fields import fill_as, phrases
from bythebook.types import Label

SIZES = {"seed": 3, "train": 60, "id": 20, "ood": 20, "train_per_guideline": 3}
EXAMPLES = [e for rows in task_named("world_fields").read(None, **SIZES).values() for e in rows]


def test_prompts_are_those_of_the_labels() -> None:
    labelled = [e for rows in world.load(**SIZES).values() for e in rows]
    style = PromptStyle(template="short", rendering="rules")
    assert [render(e, style) for e in EXAMPLES] == [render(e, style) for e in labelled]
    assert [e.guideline.hash for e in EXAMPLES] == [e.guideline.hash for e in labelled]
    assert [e.split for e in EXAMPLES] == [e.split for e in labelled]


def test_every_wording_is_right_and_no_other_answer_is() -> None:
    judge = reward("free_answer")
    for e in EXAMPLES:
        gold = gold_of(e)
        assert isinstance(gold, AnswerGold)
        right = {gold.reference, *gold.accepted}
        labels = [Label(name=r.name, direction=d) for r in e.guideline.relation_types for d in ("(e1,e2)", "(e2,e1)")]
        for phrase in {p for label in [*labels, Label(name="Other")] for p in phrases(label)} | right:
            verdict = judge.verdict(f"<think> x</think><answer> {phrase}</answer>", gold.to_json())
            assert (verdict.status == "ok") == (phrase in right), phrase


def test_a_reference_is_one_wording_of_several_and_rewards_know_that_one() -> None:
    golds = [gold for e in EXAMPLES if isinstance(gold := gold_of(e), AnswerGold)]
    assert len(golds) == 100
    assert all(gold.reference in gold.accepted and len(gold.accepted) >= 3 for gold in golds)
    assert {gold.accepted.index(gold.reference) for gold in golds} == {0, 1, 2, 3}
    assert all(gold_text(gold) == gold.reference for gold in golds)
    other = [next(p for p in gold.accepted if p != gold.reference) for gold in golds]
    cases = [Case(question="q", reference=g.reference, answer=a) for g, a in zip(golds, other, strict=True)]
    assert not any(j.verdict for j in RuleJudge("exact")(cases))


def test_a_careful_annotator_is_right_in_any_wording() -> None:
    rng, judge, said = random.Random(0), reward("free_answer"), set()
    for e in EXAMPLES:
        gold = gold_of(e)
        assert isinstance(gold, AnswerGold)
        text = fill_as("careful", e, rng)
        assert judge.verdict(text, gold.to_json()).status == "ok", text
        said.add(gold.accepted.index(text.partition("<answer> ")[2].removesuffix("</answer>")))
    assert said == {0, 1, 2, 3}


def test_the_mixed_staff_is_right_about_as_often_as_with_labels() -> None:
    rng, judge = random.Random(1), reward("free_answer")
    golds = [gold.to_json() for e in EXAMPLES if (gold := gold_of(e))]
    right = [
        judge.verdict(fill_as(None, e, rng), g).status == "ok"
        for _ in range(10)
        for e, g in zip(EXAMPLES, golds, strict=True)
    ]
    assert 0.4 < sum(right) / len(right) < 0.8
