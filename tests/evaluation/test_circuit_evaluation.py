"""Circuits in evaluation: the reward's own matcher, many of them in one run of the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.evaluation import evaluate_examples, scores
from bythebook.generation import ModelSettings, Sampling
from bythebook.hardware import check_many, checked, forget_checks, has_simulator
from bythebook.prompts import PromptStyle
from bythebook.tasks import task_named
from bythebook.types import Completion, Example

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)


class Designer:
    """Writes the reference of what it is asked as every second sample, and a constant otherwise."""

    name, prefilled, settings = "designer", False, ModelSettings()

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples
        self.asked = 0

    def generate(self, prompts: Sequence[Any], sampling: Sampling, progress: object = None) -> list[list[Completion]]:
        self.asked += len(prompts)
        found = {e.text: e.reference or "" for e in self.examples}
        out = []
        for (message,) in prompts:
            right = next(code for text, code in found.items() if message["content"].endswith(text))
            wrong = right.partition(";")[0] + "; endmodule"
            texts = [right if n % 2 == 0 else wrong for n in range(sampling.n)]
            answers = [f"<think>so</think><answer>```verilog\n{code}\n```</answer>" for code in texts]
            out.append([Completion(text=answer, tokens=5) for answer in answers])
        return out

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


@pytest.fixture
def examples(fixtures: Path) -> list[Example]:
    return task_named("verilog_eval").read(fixtures / "verilog_eval")["test"][:3]


@needs_icarus
def test_pass_at_one_is_what_the_test_bench_accepts(examples: list[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    forget_checks()
    calls: list[int] = []

    def counted(reference: str, candidates: list[str], **settings: object) -> object:
        calls.append(len(candidates))
        return check_many(reference, candidates, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(checked, "check_many", counted)
    sampling = Sampling(temperature=1.0, max_new_tokens=8, n=4)
    records = evaluate_examples(Designer(examples), examples, style=PromptStyle(), sampling=sampling, samples=4)
    found = scores(records)
    assert (found["greedy"], found["avg_at_k"], found["pass_at_k"]) == (1.0, 0.5, 1.0)
    assert {r.status for r in records if not r.correct} == {"wrong"}
    assert sorted(calls) == [1] * 6  # greedy: each right; samples: the wrong ones, once each


def test_without_a_simulator_nothing_is_asked(
    examples: list[Example], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    model = Designer(examples)
    with pytest.raises(InputError, match="Icarus Verilog"):
        evaluate_examples(
            model, examples, style=PromptStyle(), sampling=Sampling(temperature=1.0, max_new_tokens=8, n=4)
        )
    assert model.asked == 0


def test_all_problems_may_be_trained_on(fixtures: Path) -> None:
    found = task_named("verilog_eval").read(fixtures / "verilog_eval", split="train")
    assert {name: len(rows) for name, rows in found.items()} == {"train": 10}
    assert {e.split for e in found["train"]} == {"train"}
