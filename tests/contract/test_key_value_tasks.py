"""What holds for every task of values under keys, with every reward that judges by them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bythebook.metrics.key_values import flatten
from bythebook.prompts import PromptStyle, render
from bythebook.rewards import reward, rewards_for
from bythebook.schema.gold import gold_of, read_gold
from bythebook.schema.key_values import KeySchema, KeyValueGold
from bythebook.tasks import task_named
from bythebook.types import Example

ROOT = Path(__file__).parents[2]
TASKS: dict[str, tuple[Path | None, dict[str, Any]]] = {
    "key_values": (ROOT / "tests/fixtures/key_values", {}),
    "sroie": (ROOT / "tests/fixtures/sroie", {}),
    "world_forms": (None, {"train": 12, "id": 12, "ood": 12}),
}
MOST = {"medical_vie": 1.0, "medical_vie_paper": 2.0}
GARBAGE = ("", "<think>", "no tags", "<answer></answer>", "\x00" * 9, "<answer>{" * 50, '{"total": "9"}', "\ud800")


def rows_of(name: str, **more: Any) -> list[Example]:
    path, options = TASKS[name]
    return [e for rows in task_named(name).read(path, **options, **more).values() for e in rows]


@pytest.fixture(params=sorted(TASKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_which_rewards_judge_by_values_is_stated_here() -> None:
    assert set(rewards_for("key_values")) == set(MOST)


def test_ten_rows_with_unique_ids_that_survive_json_and_two_runs_are_equal(name: str) -> None:
    for more in ({}, {"keys": "subset", "draws": 3}):
        rows = rows_of(name, **more)
        assert len(rows) >= 10
        assert len({e.id for e in rows}) == len(rows)
        assert rows == rows_of(name, **more)
        assert all(Example.model_validate_json(e.model_dump_json()) == e for e in rows)


def test_gold_goes_through_a_column_and_has_the_shape_of_its_keys(name: str) -> None:
    for e in rows_of(name):
        gold = gold_of(e)
        if gold is None:
            continue
        assert isinstance(gold, KeyValueGold)
        assert read_gold(gold.to_json()) == gold
        assert gold.key_schema.faults(gold.values) == ()


@pytest.mark.parametrize("template", ["r1_re", "short"])
@pytest.mark.parametrize("tags", ["think", "reasoning_think", "plan", "answer"])
def test_every_prompt_has_keys_and_document_and_not_the_gold(name: str, template: Any, tags: Any) -> None:
    style = PromptStyle(template=template, tags=tags)
    shared: dict[str, set[str]] = {}
    for e in rows_of(name):
        content = render(e, style)[0]["content"]
        assert KeySchema.of(e.guideline).skeleton in content
        assert content.endswith(e.text.strip())
        assert render(e.model_copy(update={"reference": None}), style)[0]["content"] == content
        shared.setdefault(e.guideline.hash, set()).add(content.removesuffix(e.text.strip()))
    assert all(len(openings) == 1 for openings in shared.values())


def test_another_guideline_shown_changes_the_keys_asked_for(name: str) -> None:
    e = rows_of(name)[0]
    part = KeySchema.of(e.guideline)
    less = e.guideline.model_copy(update={"entity_types": part.restricted(part.names[:1]).entity_types()})
    assert part.names[-1] not in render(e, guideline=less)[0]["content"].partition("# How to answer")[0]


@pytest.mark.parametrize("reward_name", sorted(MOST))
def test_gold_earns_the_most_and_garbage_a_defined_verdict(name: str, reward_name: str) -> None:
    judge = reward(reward_name)
    for e in rows_of(name):
        gold = gold_of(e)
        if gold is None:
            continue
        assert isinstance(gold, KeyValueGold)
        verdict = judge.verdict(f"<think>so</think><answer>{gold.write()}</answer>", gold.to_json())
        assert (verdict.value, verdict.status) == (MOST[reward_name], "ok")
        for text in GARBAGE:
            for reason in ("stop", "length"):
                broken = judge.verdict(text, gold.to_json(), reason)
                assert not broken.correct
                assert broken.value == 0.0


def test_every_target_of_fine_tuning_says_the_gold_or_is_one_of_the_mixed_clerks(name: str) -> None:
    judge = reward("medical_vie")
    for target_name, target in task_named(name).targets.items():
        for e in rows_of(name):
            gold = gold_of(e)
            if not isinstance(gold, KeyValueGold):
                continue
            text = target(e, random.Random(0))
            read = judge.read_key_values(text, gold.key_schema)
            if target_name != "mixed":
                assert flatten(dict(read.values or {})) == flatten(dict(gold.values))
            assert read.well_formed == (target_name != "answer")
            assert all(flatten(dict(json.loads(e.reference or "{}"))).values())
