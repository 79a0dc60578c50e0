"""What holds for every task, and for every task with every reward."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError, RecipeError
from bythebook.prompts import PromptStyle, render
from bythebook.rewards import reward
from bythebook.rewards.registry import rewards_for
from bythebook.schema import ExtractionSchema, Gold, Grammar
from bythebook.tasks import TASKS, task_named
from bythebook.types import Example, SubTask

ROOT = Path(__file__).parents[2]
ARGUMENTS: dict[str, tuple[Path | None, dict[str, Any]]] = {
    "crossre": (ROOT / "tests/fixtures/crossre", {}),
    "documents": (
        ROOT / "tests/fixtures/documents/marked.jsonl",
        {"guideline": ROOT / "examples/guideline.md"},
    ),
    "mdkg": (ROOT / "tests/fixtures/mdkg/json", {}),
    "semeval2010": (ROOT / "tests/fixtures/semeval2010_task8", {}),
    "semeval2018": (ROOT / "tests/fixtures/semeval2018_task7", {}),
    "world": (None, {"train": 12, "id": 12, "ood": 12, "k": [2, 8]}),
}
"""Ten rows or more of every task of relation classification: a new one gets a line here."""

JOINT: dict[str, tuple[Path | None, dict[str, Any]]] = {
    "scier": (ROOT / "tests/fixtures/scier", {}),
    "scierc": (ROOT / "tests/fixtures/scierc", {}),
    "world_joint": (None, {"train": 12, "id": 12, "ood": 12}),
}
"""Ten rows or more of every task of joint extraction alone: a new one gets a line here."""

CHOICES: dict[str, tuple[Path | None, dict[str, Any]]] = {
    "mcqa": (ROOT / "tests/fixtures/mcqa", {}),
    "world_mcqa": (None, {"train": 12, "dev": 12, "test": 12, "ood": 12}),
}
"""Ten rows or more of every task of multiple choice, whose contract is in test_choice_tasks.py."""

QUESTIONS: dict[str, tuple[Path | None, dict[str, Any]]] = {
    "free_answers": (ROOT / "tests/fixtures/free_answers", {}),
    "tables": (ROOT / "tests/fixtures/tables", {}),
    "rtllm": (ROOT / "tests/fixtures/rtllm", {}),
    "verdicts": (ROOT / "tests/fixtures/verdicts", {}),
    "verilog_eval": (ROOT / "tests/fixtures/verilog_eval", {}),
    "world_answers": (None, {"train": 12, "id": 12, "ood": 12}),
    "world_circuits": (None, {"train": 12, "id": 12, "ood": 12}),
    "world_fields": (None, {"train": 12, "id": 12, "ood": 12}),
    "world_programs": (None, {"train": 12, "id": 12, "ood": 12}),
    "world_scenes": (None, {"train": 12, "id": 12, "ood": 12}),
    "world_tables": (None, {"train": 12, "id": 12, "ood": 12}),
}
"""Ten rows or more of every task of questions with free answers: a new one gets a line here."""

KEY_VALUES: dict[str, tuple[Path | None, dict[str, Any]]] = {
    "key_values": (ROOT / "tests/fixtures/key_values", {}),
    "sroie": (ROOT / "tests/fixtures/sroie", {}),
    "world_forms": (None, {"train": 12, "id": 12, "ood": 12}),
}
"""Ten rows or more of every task of values under keys, whose contract is in test_key_value_tasks.py."""

ALL = ARGUMENTS | JOINT | CHOICES | QUESTIONS | KEY_VALUES
SUB_TASKS: tuple[SubTask, ...] = ("ner", "re", "re_plus", "end2end")

GARBAGE = ("", "<think>", "no tags at all", "<answer></answer>", "</think><answer>X", "\x00" * 10, "<answer>" * 50)


def _read(name: str, **more: Any) -> list[Example]:
    path, options = ALL[name]
    return [e for rows in task_named(name).read(path, **options, **more).values() for e in rows]


@pytest.fixture(params=sorted(ARGUMENTS))
def examples(request: pytest.FixtureRequest) -> list[Example]:
    return _read(request.param)


def test_every_task_has_arguments_here() -> None:
    assert set(ALL) == set(TASKS)
    assert len(ALL) == len(ARGUMENTS) + len(JOINT) + len(CHOICES) + len(QUESTIONS) + len(KEY_VALUES)


def test_ten_rows_with_unique_ids_and_two_runs_are_equal(
    examples: list[Example], request: pytest.FixtureRequest
) -> None:
    assert len(examples) >= 10
    assert len({e.id for e in examples}) == len(examples)
    assert examples == _read(request.node.callspec.params["examples"])


def test_gold_is_an_answer_of_the_guideline_and_every_example_survives_json(examples: list[Example]) -> None:
    for e in examples:
        assert e.gold is not None
        assert Grammar.of(e.guideline).knows(e.gold)
        assert Example.model_validate_json(e.model_dump_json()) == e


@pytest.mark.parametrize("template", ["r1_re", "short"])
@pytest.mark.parametrize("rendering", ["full", "condensed", "brief", "rules"])
def test_every_prompt_starts_with_its_guideline_and_ends_with_its_sentence(
    examples: list[Example], template: Any, rendering: Any
) -> None:
    style = PromptStyle(template=template, rendering=rendering)
    by_guideline: dict[str, set[str]] = {}
    for e in examples:
        content = render(e, style)[0]["content"]
        assert all(f"<{tag}>" in content for tag in ("e1", "/e1", "e2", "/e2"))
        for relation in e.guideline.relation_types:
            assert relation.name in content
        marked = content.rindex("<e1>")
        by_guideline.setdefault(e.guideline.hash, set()).add(content[: content.rindex("\n", 0, marked)])
    assert all(len(shared) == 1 for shared in by_guideline.values())


@pytest.mark.parametrize("name", sorted(rewards_for("label")))
def test_gold_earns_the_most_and_garbage_a_defined_verdict(examples: list[Example], name: str) -> None:
    judge = reward(name)
    for e in examples:
        assert e.gold is not None
        gold = Gold.of(e.gold, e.guideline)
        verdict = judge.verdict(f"<think>so</think><answer>{gold.label.text}</answer>", gold.to_json())
        if name.startswith("r1_re"):
            assert (verdict.value, verdict.status) == (3.0, "ok")
            for label in gold.grammar.labels:
                if label != gold.label:
                    other = judge.verdict(f"<think>so</think><answer>{label.text}</answer>", gold.to_json())
                    assert (other.value, other.status) == (-0.5, "wrong")
        for text in GARBAGE:
            for reason in ("stop", "length"):
                broken = judge.verdict(text, gold.to_json(), reason)
                assert not broken.correct
                assert broken.value is not None


@pytest.mark.parametrize("name", sorted(JOINT))
def test_joint_extraction_has_ten_rows_whose_gold_the_guideline_admits(name: str) -> None:
    rows = _read(name)
    assert len(rows) >= 10
    assert rows == _read(name)
    rows = _read(name, sub_tasks=list(SUB_TASKS))
    assert len({e.id for e in rows}) == len(rows)
    assert {e.sub_task for e in rows} == set(SUB_TASKS)
    for e in rows:
        assert e.extraction is not None
        schema = ExtractionSchema.of(e.guideline)
        # Annotators break type signatures now and then, which `data check` counts.
        assert {d.code for d in schema.admits(e.extraction)} <= {"type_signature"}
        assert set(json.loads(schema.write(e.extraction, e.sub_task))) == set(schema.keys(e.sub_task))
        assert all(entity.text in e.text for entity in e.extraction.entities)
        assert Example.model_validate_json(e.model_dump_json()) == e
    spans = [(m, e) for e in rows for m in (e.extraction.entities if e.extraction else ()) if m.span is not None]
    assert all(m.span is not None and m.span.of(e.text) == m.text for m, e in spans)


@pytest.mark.parametrize("name", sorted(JOINT))
@pytest.mark.parametrize("template", ["r1_re", "short"])
@pytest.mark.parametrize("rendering", ["full", "condensed", "brief", "rules"])
def test_every_prompt_of_joint_extraction_has_types_relations_and_text_and_not_the_gold(
    name: str, template: Any, rendering: Any
) -> None:
    style = PromptStyle(template=template, rendering=rendering)
    for sub_task in SUB_TASKS:
        by_guideline: dict[str, set[str]] = {}
        for e in _read(name, sub_tasks=[sub_task]):
            content = render(e, style)[0]["content"]
            for declared in (*e.guideline.entity_types, *e.guideline.relation_types):
                assert declared.name in content
            without = e.model_copy(update={"extraction": None})
            assert render(without, style)[0]["content"] == content
            by_guideline.setdefault(e.guideline.hash, set()).add(content[: content.rindex(e.text)])
        assert all(len(shared) == 1 for shared in by_guideline.values())


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_every_target_of_fine_tuning_says_the_gold_or_is_one_of_the_mixed_annotators(name: str) -> None:
    judge = reward("r1_re")
    for target_name, target in task_named(name).targets.items():
        if target_name == "mimic":
            continue  # of joint extraction only: tests/tasks/test_mimic.py
        rng = random.Random(0)
        for e in _read(name):
            assert e.gold is not None
            gold = Gold.of(e.gold, e.guideline)
            parsed = judge.parsed(target(e, rng), gold.to_json())
            if target_name != "mixed":
                assert parsed.label == gold.label
            assert parsed.well_formed == (target_name != "answer")


def test_unknown_tasks_and_options_are_refused_with_what_there_is() -> None:
    with pytest.raises(InputError, match=r"no task 'nothing'.*semeval2010"):
        task_named("nothing")
    with pytest.raises(RecipeError, match=r"has no option 'splitt'.*split"):
        task_named("semeval2010").read("x", splitt="official")


@pytest.mark.parametrize("name", sorted(n for n, t in TASKS.items() if t.needs_path))
def test_a_task_that_reads_files_says_so_when_it_gets_none(name: str) -> None:
    with pytest.raises(InputError, match="path"):
        task_named(name).read(None)


@pytest.mark.parametrize("name", sorted(n for n, t in TASKS.items() if t.check))
def test_the_fixture_of_a_task_has_no_faults(name: str) -> None:
    path, options = ALL[name]
    checker = task_named(name).check
    assert checker is not None
    found = checker(path, *options.values())
    assert found["faults"] == []
    assert sum(found["rows"].values()) >= 10
