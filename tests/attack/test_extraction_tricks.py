"""No trick on an extraction earns more than an honest answer of its F1; and every trick is one."""

from __future__ import annotations

from functools import cache

import pytest

from bythebook.errors import RecipeError
from bythebook.rewards import TextReward, reward
from bythebook.studies.attack.attempts import Trick, claim, honest, say
from bythebook.studies.attack.battery import (
    BLIND,
    attacked,
    counted_by,
    extraction_tricks,
    play_trick,
    summary,
)
from bythebook.studies.attack.items import ITEMS, Item
from bythebook.studies.attack.outcome import Outcome
from bythebook.studies.attack.tricks import TRICKS
from bythebook.studies.attack.weakened import WEAKENED
from bythebook.studies.attack.yardstick import Yardsticks, deserved_by

REWARDS = {
    "r2grpo": reward("r2grpo"),
    "r2grpo, two blocks of thinking": reward("r2grpo", tags="reasoning_think"),
    "r2grpo without overlap": reward("r2grpo", overlap=0.0),
    "r2grpo, reasoning tenfold": reward("r2grpo", reasoning=5 / 3),
    "r1_re_triplets": reward("r1_re_triplets"),
    "r1_re_triplets, anchored": reward("r1_re_triplets", anchored=True),
    "r1_re_triplets, triples alone": reward("r1_re_triplets", entity_weight=0.0),
}


@cache
def shown_by(trick: Trick) -> list[str]:
    return counted_by(trick)


@pytest.mark.parametrize("name", REWARDS)
def test_no_trick_earns_more_than_an_honest_answer_of_its_f1(name: str) -> None:
    judge = REWARDS[name]
    yardsticks = Yardsticks(lambda text, item: judge.verdict(text, item.gold_json).value)
    outcomes = [play_trick(trick, judge, yardsticks) for trick in TRICKS]
    assert [o.report() for o in outcomes if o.overpaid] == []
    assert all(o.tried for o in outcomes)


def test_there_are_sixty_tricks_and_more_of_different_names() -> None:
    names = extraction_tricks()
    assert len(names) == len(set(names)) == len(TRICKS)
    assert len(names) >= 60
    assert all(trick.__doc__ for trick in TRICKS)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_trick_beats_an_honest_answer_on_some_weakened_reward(trick: Trick) -> None:
    assert shown_by(trick) != []


def test_every_weakened_reward_lacks_something_that_a_trick_shows() -> None:
    shown = {name for trick in TRICKS for name in shown_by(trick)}
    assert {weak.__name__ for weak in WEAKENED} == shown


@pytest.mark.parametrize("weak", WEAKENED, ids=lambda weak: weak.__name__)
def test_a_weakened_reward_pays_honest_right_answers_as_honest_wrong_ones_at_least(weak: object) -> None:
    assert callable(weak)
    for item in ITEMS:
        d = deserved_by(lambda text, item=item: weak(text, item), item)  # type: ignore[misc]
        # The mistake in the text that talks to the judge is to take its words for an entity.
        listens = weak.__name__ == "the_judge_listens" and item.name == "a text that talks to the judge"
        assert d.all_right >= d.nothing_right or listens


def test_the_released_reward_is_overpaid_by_many_tricks() -> None:
    outcomes = [play_trick(trick, reward("r2grpo", faithful=True)) for trick in TRICKS]
    overpaid = {o.trick for o in outcomes if o.overpaid}
    assert overpaid >= {
        "no_answer", "empty_answer_block", "filler_before_a_wrong_answer", "one_quote_repeated",
        "a_copy_of_the_sentence_and_all_relations", "every_span_of_every_type", "right_texts_of_wrong_types",
        "no_relation_said_of_everything",
    }  # fmt: skip


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_the_yardstick_stands_on_completions_that_are_what_they_say(item: Item) -> None:
    """The gold is found right, the mistakes are found wrong, and every mention is in the text."""
    for name in ("r2grpo", "r1_re_triplets"):
        judge = reward(name)
        verdicts = {
            (e, r): judge.verdict(honest(item, e, r), item.gold_json) for e in (True, False) for r in (True, False)
        }
        assert verdicts[True, True].status == "ok"
        assert verdicts[False, False].status == "wrong"
        values = {k: v.value or 0.0 for k, v in verdicts.items()}
        assert values[True, True] > values[False, False]
        assert values[True, True] == max(values.values())
    mentions = [t for t, _ in (*item.entities, *item.decoys)] + [m for h, _, t in item.relations for m in (h, t)]
    assert [m for m in mentions if m not in item.text] == []
    assert not set(item.wrong_relations) & set(item.relations)
    assert item.gold.extraction_schema.admits(item.gold.extraction) == ()


def test_the_mended_reward_pays_well_reasoned_right_answers_its_maximum() -> None:
    maxima = {item.name: reward("r2grpo").verdict(honest(item, True, True), item.gold_json).value for item in ITEMS}
    assert maxima["two relations"] == pytest.approx(3.967, abs=5e-4)
    assert maxima["a mention repeated"] == pytest.approx(3.967, abs=5e-4)
    assert maxima["Chinese"] == pytest.approx(3.967, abs=5e-4)
    assert maxima["no relation"] == pytest.approx(1 + 2 + 0.1 + 0.25 + 0.35 / 6 + 0.5)
    assert maxima["nothing to find"] == pytest.approx(1 + 2 + 0.25 + 0.35 / 6 + 0.5)


def test_f1_is_known_from_how_an_attempt_was_made() -> None:
    item = next(item for item in ITEMS if item.name == "a mention repeated")
    turned = ("plain tagger", "Compare-With", "LatticeNet")
    attempt = claim(item, [*item.entities[:1], *item.entities[:1], ("x", "Task")], [turned, ("a", "Used-For", "b")])
    assert attempt.entities == pytest.approx(2 / 6)
    assert attempt.relations == pytest.approx(2 / 5)
    assert attempt.completion == say(item, [*item.entities[:1]] * 2 + [("x", "Task")], [turned, ("a", "Used-For", "b")])


def test_rewards_that_never_look_at_the_gold_are_not_attacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bythebook.studies.attack.battery.has_simulator", lambda: True)
    assert "codev_r1" in attacked()
    monkeypatch.setattr("bythebook.studies.attack.battery.has_simulator", lambda: False)
    assert set(attacked()) == {
        "r1_re", "r1_re_anchored", "r1_re_triplets", "r2grpo", "r2grpo_release", "med_rlvr", "free_answer",
        "medical_vie", "medical_vie_paper", "perception_r1", "perception_r1_release", "table_r1", "table_r1_release",
        "table_r1_evaluation",
    }  # fmt: skip
    assert attacked(["r2grpo", "r2grpo"]) == ("r2grpo",)
    for name in BLIND:
        with pytest.raises(RecipeError, match="never looks at the gold"):
            attacked([name])
    with pytest.raises(RecipeError, match="no reward 'r3'"):
        attacked(["r3"])


def test_published_originals_stand_apart_in_the_summary() -> None:
    paid = Outcome("r2grpo", "a", 3, 1.0, 0.5, "x" * 999, False)
    fine = Outcome("r1_re_triplets", "a", 2, 0.5, 0.5, "y", False)
    right = Outcome("r1_re_triplets", "b", 2, 0.5, 0.5, "y", True)
    control = Outcome("r2grpo_release", "b", 1, 1.0, 0.5, "z", False)
    found = summary([paid, fine, right, control])
    assert (found["rewards"], found["tricks"], found["tried"]) == (2, 2, 8)
    assert [(row["reward"], row["trick"]) for row in found["overpaid"]] == [("r2grpo", "a"), ("r1_re_triplets", "b")]
    assert set(found["overpaid"][0]) == {"reward", "trick", "earned", "honest", "completion"}
    assert len(found["overpaid"][0]["completion"]) == 200
    assert found["faithful"] == {"rewards": 1, "overpaid": [control.report()]}


def test_a_trick_on_a_reward_that_counts_recall_alone_is_seen() -> None:
    class Recall:
        reads = ("extraction",)

        def judge(self, parsed: object, gold: object, finish_reason: object = "stop") -> object:
            from bythebook.rewards.extraction_form import compared
            from bythebook.types import Verdict

            answer = compared(parsed, gold)  # type: ignore[arg-type]
            half = None if answer is None else answer.entities
            return Verdict(value=(half.counts.recall or 0.0) if half else 0.0, status="wrong")

    every_span = next(trick for trick in TRICKS if trick.__name__ == "every_span_of_every_type")
    assert play_trick(every_span, TextReward("recall", Recall())).overpaid  # type: ignore[arg-type]
