"""Tricks on values under keys: ours pays nothing for them, and what the published formula pays is known."""

from __future__ import annotations

import pytest

from bythebook.rewards import reward
from bythebook.studies.attack.battery import play
from bythebook.studies.attack.key_value_tricks import TRICKS, KeyValueTrick, played

PAPER_OVERPAYS = {
    "nothing_but_the_form", "everything_empty", "every_value_under_every_key", "keys_given_twice",
    "keys_nobody_asked_for", "the_prompt_once_more", "several_answers",
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_no_trick_earns_more_than_honesty(trick: KeyValueTrick) -> None:
    for options in ({}, {"alpha": 0.25}, {"alpha": 0.75}, {"lists": "index"}):
        outcome = played(trick, reward("medical_vie", **options))
        assert outcome.tried > 0
        assert not outcome.overpaid, outcome


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_where_an_honest_answer_earns_nothing_no_trick_earns_anything(trick: KeyValueTrick) -> None:
    outcome = played(trick, reward("medical_vie"))
    assert outcome.honest > 0.0 or outcome.earned == 0.0


def test_the_published_formula_pays_the_form_alone_and_the_last_of_two_keys() -> None:
    found = {outcome.trick: outcome for outcome in play("medical_vie_paper")}
    assert {name for name, outcome in found.items() if outcome.overpaid} == PAPER_OVERPAYS
    assert found["everything_empty"].earned == 1.0
    assert found["keys_given_twice"].earned == 2.0


def test_empties_that_count_pay_for_saying_nothing() -> None:
    """Why they are dropped."""
    (empty,) = [trick for trick in TRICKS if trick.__name__ == "everything_empty"]
    assert played(empty, reward("medical_vie", empties="count")).overpaid


def test_recall_alone_pays_padding_as_much_as_honesty() -> None:
    (padded,) = [trick for trick in TRICKS if trick.__name__ == "padded_lists"]
    loose, balanced = (played(padded, reward("medical_vie", alpha=alpha)) for alpha in (0.0, 0.5))
    assert loose.earned == loose.honest == 1.0
    assert balanced.earned < balanced.honest
