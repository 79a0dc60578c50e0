"""Circuits as questions: what is asked, what earns the reward."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.hardware import Plan, has_simulator, read_design
from bythebook.prompts import PromptStyle, render
from bythebook.rewards.codev_r1 import CodeVR1
from bythebook.schema.circuits import CircuitGold
from bythebook.tasks import task_named
from bythebook.types import Example

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
FOLDERS = {"rtllm": "rtllm", "verilog_eval": "verilog_eval", "verilog_eval_1": "verilog_eval"}


@pytest.fixture(params=sorted(FOLDERS))
def examples(request: pytest.FixtureRequest, fixtures: Path) -> list[Example]:
    return task_named(FOLDERS[request.param]).read(fixtures / request.param)["test"]


def test_ten_circuits_are_questions_with_a_module_of_the_right_name(examples: list[Example]) -> None:
    assert len({e.id for e in examples}) == len(examples) == 10
    for example in examples:
        assert example.reference is not None
        assert Example.model_validate_json(example.model_dump_json()) == example
        design = read_design(example.reference, example.meta["circuit_top"])
        assert design.top.name == example.meta["circuit_top"]  # type: ignore[union-attr]
        content = render(example, PromptStyle())[0]["content"]
        assert "```verilog" in content
        assert content.endswith(f"The module is called {example.meta['circuit_top']}.")
        assert example.reference not in content


@needs_icarus
def test_the_target_earns_the_reward_and_an_empty_module_does_not(examples: list[Example]) -> None:
    reward, rng = CodeVR1(plan=Plan(sequences=2, steps=20, vectors=40)), random.Random(0)
    task = task_named(examples[0].id.split("-")[0])
    for example in examples:
        gold, text = CircuitGold.of(example), task.targets["answer"](example, rng)
        top = example.meta["circuit_top"]
        verdicts = reward.judge_batch(
            [text, f"<think></think><answer>```v\nmodule {top}; endmodule\n```</answer>"], [gold] * 2, ["stop"] * 2
        )
        assert [v.status for v in verdicts] == ["ok", "wrong"]


@pytest.mark.parametrize("name", ["rtllm", "verilog_eval"])
def test_a_path_is_needed_and_a_check_counts(name: str, fixtures: Path) -> None:
    with pytest.raises(DataError, match="reads a path"):
        task_named(name).read(None)
    assert task_named(name).checked(fixtures / name) == {"rows": {"test": 10}, "faults": []}
    bare = Example.model_validate({**task_named(name).read(fixtures / name)["test"][0].model_dump(), "reference": None})
    with pytest.raises(DataError, match="no reference"):
        task_named(name).targets["answer"](bare, random.Random(0))
