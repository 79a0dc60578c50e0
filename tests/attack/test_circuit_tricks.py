"""Tricks on rewards of circuits: the holes of the published verifier, closed."""

from __future__ import annotations

import pytest

from bythebook.hardware import has_simulator
from bythebook.rewards import TextReward, reward
from bythebook.rewards.codev_r1 import CodeVR1
from bythebook.studies.attack.battery import play, summary
from bythebook.studies.attack.circuit_tricks import TARGETS, TRICKS, played

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
SETTINGS = {"plan": {"sequences": 8, "steps": 40, "vectors": 300}, "limits": {"seconds": 3}}


def judge(**options: object) -> TextReward:
    return reward("codev_r1", **SETTINGS, **options)  # type: ignore[arg-type]


@needs_icarus
@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_no_trick_is_overpaid(trick: object) -> None:
    outcome = played(trick, judge())  # type: ignore[arg-type]
    assert outcome.tried >= 4
    assert not outcome.overpaid, outcome.completion


@needs_icarus
def test_the_right_module_is_paid_and_what_can_not_be_checked_is_not() -> None:
    *checked, free = TARGETS
    for target in checked:
        text = f"<think>so</think><answer>```verilog\n{target.gold.reference}\n```</answer>"
        assert judge().verdict(text, target.gold.to_json()).value == 1.0
    text = f"<think>so</think><answer>```verilog\n{free.gold.reference}\n```</answer>"
    verdict = judge().verdict(text, free.gold.to_json())
    assert (verdict.value, verdict.status) == (None, "unscored")


@needs_icarus
def test_as_published_code_that_stands_elsewhere_is_paid() -> None:
    """The original reads the last fence anywhere: a trick that ours withstands."""
    trick = next(t for t in TRICKS if t.__name__ == "the_right_code_elsewhere")
    assert played(trick, judge(fence="anywhere")).overpaid


def test_a_verifier_that_believes_what_is_printed_pays_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the trick is for: the published verdict is a word in the output of the run."""
    trick = next(t for t in TRICKS if t.__name__ == "prints_the_verdict")

    class Credulous(CodeVR1):
        def judge_read(self, read, golds, reasons):  # type: ignore[no-untyped-def]
            found = super()._unread(read[0], "stop", ())
            said = ["All tests passed." in (answer.code or "") for answer in read]
            return [found.model_copy(update={"value": float(s), "status": "ok" if s else "wrong"}) for s in said]

    assert played(trick, TextReward("credulous", Credulous())).overpaid


@needs_icarus
def test_the_battery_plays_them() -> None:
    outcomes = list(play("codev_r1"))
    assert {o.trick for o in outcomes} == {trick.__name__ for trick in TRICKS}
    found = summary(outcomes)
    assert (found["rewards"], found["overpaid"]) == (1, [])
