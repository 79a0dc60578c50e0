"""CodeV-R1's reward: form, then a test bench; and its penalty for long completions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bythebook.errors import InputError
from bythebook.hardware import Limits, Plan, has_simulator
from bythebook.rewards import TextReward
from bythebook.rewards.codev_r1 import CodeVR1
from bythebook.rewards.overlong import Overlong
from bythebook.schema.circuits import CircuitGold
from bythebook.types import FinishReason, Status, Verdict

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
RIGHT = "module gate (input a, input b, output y); assign y = a & b; endmodule"
OTHER = RIGHT.replace("a & b", "~(~a | ~b)")
WRONG = RIGHT.replace("&", "|")
GOLD = CircuitGold(question="both", circuit_top="gate", reference=RIGHT)
OPTIONS = {"plan": Plan(vectors=50), "limits": Limits(seconds=5)}
REWARD = CodeVR1.model_validate(OPTIONS)
PUBLISHED = CodeVR1.model_validate({**OPTIONS, "fence": "anywhere"})


def say(code: str, thinking: str = "hm") -> str:
    return f"<think>{thinking}</think><answer>```verilog\n{code}\n```</answer>"


def judge(text: str, gold: CircuitGold | None = GOLD, reason: FinishReason = "stop", by: CodeVR1 = REWARD) -> Verdict:
    return by.judge_batch([text], [gold], [reason])[0]


@needs_icarus
@pytest.mark.parametrize(
    ("code", "value", "status", "error"),
    [
        (RIGHT, 1.0, "ok", ""),
        (OTHER, 1.0, "ok", ""),
        (WRONG, 0.0, "wrong", "different"),
        (RIGHT.replace("assign", "asign"), 0.0, "wrong", "does_not_compile"),
        (RIGHT.replace("gate", "other"), 0.0, "wrong", "interface_differs"),
        (
            RIGHT.replace("endmodule", 'initial begin $display("passed"); $finish; end endmodule'),
            0.0,
            "wrong",
            "unsupported",
        ),
        ("", 0.0, "wrong", "does_not_compile"),
    ],
)
def test_the_form_is_right(code: str, value: float, status: Status, error: str) -> None:
    verdict = judge(say(code))
    assert (verdict.value, verdict.status) == (value, status)
    assert error in ("", *verdict.errors)
    assert sum(part.value for part in verdict.parts.values()) == value
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize(
    ("text", "reason", "status"),
    [
        (f"```verilog\n{RIGHT}\n```", "stop", "malformed"),
        (say(RIGHT) * 2, "stop", "malformed"),
        (say(RIGHT)[:-9], "length", "truncated"),
        ("<think>so</think><answer>a & b</answer>", "stop", "no_answer"),
        (f"<think>```verilog\n{RIGHT}\n```</think><answer>as above</answer>", "stop", "no_answer"),
        ("", "stop", "malformed"),
    ],
)
def test_the_form_is_bad_and_nothing_is_simulated(text: str, reason: FinishReason, status: Status) -> None:
    verdict = judge(text, GOLD, reason)
    assert (verdict.value, verdict.status) == (0.0, status)
    assert verdict.parts["format"].gate


@needs_icarus
def test_as_published_code_of_the_thinking_counts() -> None:
    text = f"<think>```verilog\n{RIGHT}\n```</think><answer>as above</answer>"
    assert judge(text, by=PUBLISHED).value == 1.0
    assert judge(f"{say(WRONG)}```verilog\n{RIGHT}\n```", by=PUBLISHED).value == 1.0
    assert judge(f"{say(WRONG)}```verilog\n{RIGHT}\n```").value == 0.0


@needs_icarus
def test_the_best_of_several_references_counts() -> None:
    gold = CircuitGold(question="both", circuit_top="gate", reference=WRONG, accepted=("no Verilog", RIGHT))
    assert judge(say(RIGHT), gold).status == "ok"
    assert judge(say(WRONG), gold).status == "ok"
    assert judge(say(RIGHT.replace("&", "^")), gold).status == "wrong"


@needs_icarus
def test_a_reference_that_can_not_be_checked_scores_nothing() -> None:
    verdict = judge(
        say(RIGHT), CircuitGold(question="both", circuit_top="gate", reference="module gate (inout a); endmodule")
    )
    assert (verdict.value, verdict.status) == (None, "unscored")
    assert "reference" in verdict.errors


@needs_icarus
def test_a_loop_is_cut_off_and_told_from_a_wrong_answer() -> None:
    loop = "module gate (input a, input b, output reg y); always @(a) while (1) y = a; endmodule"
    hasty = CodeVR1(plan=Plan(vectors=20), limits=Limits(seconds=1))
    verdict = judge(say(loop), by=hasty)
    assert (verdict.value, verdict.status, verdict.errors) == (0.0, "truncated", ("timed_out",))


def test_without_a_gold_or_a_completion_nothing_is_scored() -> None:
    assert judge(say(RIGHT), None) == Verdict(value=None, status="unscored")
    assert judge(say(RIGHT), GOLD, "error").value is None


def test_without_a_simulator_it_says_so_and_does_not_pay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="Icarus Verilog"):
        judge(say(RIGHT))
    assert judge("").value == 0.0


@needs_icarus
def test_it_plugs_into_a_trainer_as_a_batch() -> None:
    reward = TextReward("codev_r1", REWARD)
    texts = [say(RIGHT), say(WRONG), say(OTHER), "", say(RIGHT)]
    golds = [GOLD.to_json()] * 4 + [None]
    assert reward([""] * 5, texts, golds) == [1.0, 0.0, 1.0, 0.0, None]
    assert reward([""] * 5, texts, golds) == reward([""] * 5, texts, golds)
    prefilled = TextReward("codev_r1", REWARD, prefilled=True)
    assert prefilled.verdict(say(RIGHT).removeprefix("<think>"), GOLD.to_json()).correct
    chat = [{"role": "assistant", "content": say(RIGHT)}]
    assert reward([""], [chat], [GOLD.to_json()]) == [1.0]


@needs_icarus
@pytest.mark.parametrize(
    "text", ["\x00", "\ud800", "<think>", "`" * 999, say("\x00"), say("é" * 99), say("module " * 99)]
)
def test_garbage_has_a_verdict(text: str) -> None:
    verdict = judge(text)
    assert verdict.value == 0.0
    assert not verdict.correct
    assert REWARD.judge(REWARD.read(text), GOLD) == verdict


@pytest.mark.parametrize(
    ("tokens", "penalty"), [(0, 0.0), (15_360, 0.0), (15_872, -0.5), (16_384, -1.0), (16_896, -1.5)]
)
def test_the_penalty_for_long_completions_of_the_published_code(tokens: int, penalty: float) -> None:
    assert Overlong().penalty(tokens) == penalty
    assert Overlong(factor=0.5).penalty(tokens) == penalty / 2


def test_the_penalty_is_a_part_and_groups_see_the_accuracy_before_it() -> None:
    part = judge(say(RIGHT)[:-9], GOLD, "length").parts["format"]
    verdict = Verdict(value=1.0, status="ok", parts={"equivalence": part.model_copy(update={"value": 1.0})})
    found = Overlong().applied(verdict, 16_384)
    assert (found.value, found.status) == (0.0, "ok")
    assert (found.parts["equivalence"].value, found.parts["overlong"].value) == (1.0, -1.0)
    unscored = Verdict(value=None, status="unscored")
    assert Overlong().applied(unscored, 99_999) == unscored
