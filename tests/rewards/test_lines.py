"""Completions of a file → verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.rewards import reward_lines
from bythebook.schema import Gold, Grammar
from bythebook.types import Label

GOLD = Gold(
    label=Label(name="near", direction="(e2,e1)"), grammar=Grammar(relations=("near", "R2"), symmetric=("near",))
)
RIGHT = "<think>why</think><answer>near(e1,e2)</answer>"
PLAIN = {"labels": ["near", "R2"], "symmetric": ["near"], "no_relation": "Other"}


def write(path: Path, *rows: object) -> Path:
    file = path / "completions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_gold_may_be_an_object_its_text_a_label_or_absent(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"completion": RIGHT, "gold": GOLD.model_dump()},
        {"completion": RIGHT, "gold": GOLD.to_json()},
        {"id": "7", "completion": RIGHT, "gold": "near(e2,e1)", **PLAIN},
        {"completion": RIGHT, "gold": "Other", **PLAIN},
        {"completion": RIGHT},
        {"completion": "<think>", "gold": "Other", "finish_reason": "length", **PLAIN},
        {"completion": "\ud800", "gold": "Other", **PLAIN},
    )
    verdicts = list(reward_lines("r1_re", file))
    assert [v["value"] for v in verdicts] == [3.0, 3.0, 3.0, -0.5, None, -3.0, -3.0]
    assert [v["status"] for v in verdicts] == ["ok", "ok", "ok", "wrong", "unscored", "truncated", "no_answer"]


def test_a_verdict_has_four_keys_and_is_json(tmp_path: Path) -> None:
    file = write(tmp_path, {"completion": "So: " + RIGHT, "gold": "R2(e1,e2)", **PLAIN})
    verdict = json.loads(json.dumps(next(reward_lines("r1_re", file))))
    assert list(verdict) == ["value", "status", "parts", "errors"]
    assert verdict["errors"] == ["text_outside"]
    assert verdict["parts"]["metric"]["value"] == -1.5


def test_options_are_those_of_the_reward(tmp_path: Path) -> None:
    file = write(tmp_path, {"completion": RIGHT, "gold": "R2(e1,e2)", **PLAIN})
    assert next(reward_lines("r1_re", file, wrong=-1.0))["value"] == -1.0


def test_an_unknown_reward_is_an_error_before_the_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no reward 'r1'"):
        reward_lines("r1", tmp_path / "absent.jsonl")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"gold": "Other", **PLAIN}, "no text under 'completion'"),
        ({"completion": ["x"]}, "no text under 'completion'"),
        ({"completion": "x", "finish_reason": "eos"}, "unknown finish_reason 'eos'"),
        ({"completion": "x", "finish_reason": ["stop"]}, "unknown finish_reason"),
        ({"completion": "x", "gold": "Other"}, "without its label set"),
        ({"completion": "x", "gold": "near", **PLAIN}, "'near' is no answer"),
        ({"completion": "x", "gold": "R9(e1,e2)", **PLAIN}, "not among its own labels"),
        ({"completion": "x", "gold": 7}, "neither an object nor a text"),
        ({"completion": "x", "gold": {"label": "near"}}, "bad gold: label"),
        ({"completion": "x", "gold": "{"}, "bad gold"),
        ({"completion": "x", "gold": "near(e1,e2)", "labels": []}, "bad gold: relations"),
        ({"completion": "x", "gold": "near(e1,e2)", "labels": ["near(e1,e2)"]}, "bad gold: relations"),
        ({"completion": "x", "gold": "near(e1,e2)", "labels": "near"}, "bad gold: relations"),
        (["x"], "one JSON object"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: Any, message: str) -> None:
    file = write(tmp_path, {"completion": RIGHT}, row)
    with pytest.raises(DataError) as caught:
        list(reward_lines("r1_re", file))
    assert message in str(caught.value)
    assert (caught.value.file, caught.value.line) == (file, 2)
