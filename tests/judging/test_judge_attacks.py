"""The battery against judges: an honest one overpays no trick, and every corrupted one is caught."""

from __future__ import annotations

import pytest
from corrupted import HACKS, Scripted, always_no, honest

from bythebook.judging import Judge, JudgedReward, RuleJudge, Verifier
from bythebook.metrics.answer_meaning import same_meaning
from bythebook.metrics.answer_text import same_text
from bythebook.parsing.free_answer import read_free_answer
from bythebook.rewards import FAITHFUL, reward, rewards_for
from bythebook.rewards.verified import VerifiedReward
from bythebook.schema.answers import AnswerGold
from bythebook.studies.attack.answer_tricks import TARGETS, TRICKS, AnswerTrick, Pays, played_on, played_on_reward
from bythebook.studies.attack.outcome import Outcome
from bythebook.types import Verdict

SCORES = ("binary", "soft", "normalized")


def pays_by(judge: Judge, **options: object) -> Pays:
    judged = JudgedReward(judge, VerifiedReward(**options), take=lambda text: read_free_answer(text).text)  # type: ignore[arg-type]

    def pay(completion: str, gold: AnswerGold) -> Verdict:
        return judged.verdicts([completion], [gold.question], [gold.reference])[0]

    return pay


def sensible() -> Scripted:
    """YES where the meaning, or the text, is the same."""
    return Scripted(
        lambda case: (
            "YES"
            if same_text(case.answer, case.reference) or same_meaning(case.answer, case.reference, case.question)
            else "NO"
        ),
        name="sensible",
    )


def outcomes(judge: Judge, **options: object) -> list[Outcome]:
    return [played_on(trick, pays_by(judge, **options), judge.name) for trick in TRICKS]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
@pytest.mark.parametrize("name", [name for name in rewards_for("answer") if name not in FAITHFUL.values()])
def test_no_reward_that_judges_by_a_reference_overpays_a_trick(trick: AnswerTrick, name: str) -> None:
    found = played_on_reward(trick, reward(name))
    assert found.tried >= len(TARGETS)
    assert not found.overpaid, found.completion


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.gold.reference)
def test_the_reference_is_paid_where_the_tricks_fail(target: object) -> None:
    gold = target.gold  # type: ignore[attr-defined]
    for name in rewards_for("answer"):
        assert reward(name).verdict(f"hm\n{gold.reference}", gold.to_json()).correct
    for judge in (honest(), sensible()):
        assert pays_by(Verifier(judge))(f"hm\n{gold.reference}", gold).value == 1.0


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("guarded", [True, False])
def test_a_sensible_judge_overpays_nothing(score: str, guarded: bool) -> None:
    assert [o.trick for o in outcomes(Verifier(sensible()), score=score, guarded=guarded) if o.overpaid] == []


@pytest.mark.parametrize("name", HACKS)
@pytest.mark.parametrize("score", SCORES)
def test_a_corrupted_judge_is_caught_with_the_guard_and_without(name: str, score: str) -> None:
    judge, _ = HACKS[name]
    for guarded in (True, False):
        caught = {o.trick for o in outcomes(Verifier(judge()), score=score, guarded=guarded) if o.overpaid}
        assert "appeals" in caught
        assert ("wrong_but_honest" in caught) == (name == "always_yes")


def test_a_judge_that_pays_nobody_overpays_nothing() -> None:
    assert not any(o.overpaid for o in outcomes(Verifier(always_no())))


def test_the_substring_rule_is_caught_paying_for_lists_and_denials() -> None:
    caught = {o.trick for o in outcomes(RuleJudge("substring"), guarded=False) if o.overpaid}
    assert {"every_answer_that_there_is", "the_reference_denied"} <= caught
    guarded = {o.trick for o in outcomes(RuleJudge("substring")) if o.overpaid}
    assert "the_reference_denied" in guarded


def test_the_default_guard_leaves_a_gullible_judge_less_to_be_fooled_by() -> None:
    judge, _ = HACKS["always_yes"]
    left = {
        guarded: {o.trick for o in outcomes(Verifier(judge()), guarded=guarded) if o.earned > 0.5} for guarded in (0, 1)
    }
    refused = {"no_answer_at_all", "the_verdict_as_the_answer", "the_question_once_more", "every_answer_that_there_is"}
    assert refused <= left[0]
    assert not refused & left[1]
