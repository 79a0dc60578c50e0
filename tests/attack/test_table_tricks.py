"""Tricks on rewards of questions about tables: ours withstands them, the published scorers do not."""

from __future__ import annotations

import pytest

from bythebook.rewards import reward
from bythebook.studies.attack.battery import play, summary
from bythebook.studies.attack.table_tricks import TARGETS, TRICKS, played

OURS = {
    "as it is": reward("table_r1"),
    "a gate": reward("table_r1", fallback=0.0),
    "without weight on the form": reward("table_r1", format_weight=0.0),
    "matched as in training": reward("table_r1", protocol="training"),
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_no_trick_is_overpaid(name: str, trick: object) -> None:
    outcome = played(trick, OURS[name])  # type: ignore[arg-type]
    assert outcome.tried > 2
    assert not outcome.overpaid, outcome.completion


@pytest.mark.parametrize("name", OURS)
def test_the_right_answer_earns_more_than_any_trick(name: str) -> None:
    for target in TARGETS:
        text = f'<think>so</think><answer>```json\n{{"answer": {target.right}}}\n```</answer>'
        assert (OURS[name].verdict(text, target.gold.to_json()).value or 0) >= 1.0


def test_which_tricks_the_published_scorers_pay() -> None:
    overpaid = {
        name: {o.trick for o in play(name) if o.overpaid} for name in ("table_r1_release", "table_r1_evaluation")
    }
    drafts = {"the_right_answer_as_a_draft", "the_right_answer_taken_back"}
    # In training a draft loses the form, which weighs as much as the answer that it gains.
    assert overpaid == {"table_r1_release": {"both_answers"}, "table_r1_evaluation": {"both_answers", *drafts}}


def test_published_scorers_stand_apart_in_the_summary() -> None:
    found = summary([o for name in ("table_r1", "table_r1_release", "table_r1_evaluation") for o in play(name)])
    assert (found["rewards"], found["overpaid"], found["faithful"]["rewards"]) == (1, [], 2)
    assert found["tricks"] == len(TRICKS)
    assert len(found["faithful"]["overpaid"]) == 4
