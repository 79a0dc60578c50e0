"""`bythebook reward` on golds about tables, and what rewards on free answers say of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from table_golds import ENTAILED, gold, say

from bythebook.errors import DataError, RecipeError
from bythebook.judging import judged_reward
from bythebook.rewards import reward_lines
from bythebook.rewards.gold_rows import gold_of_row
from bythebook.schema.table_answers import TableGold

ITEMS = gold("a", "b")


def written(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    file = tmp_path / "completions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_a_gold_is_read_in_every_form(tmp_path: Path) -> None:
    for form in (ITEMS, json.loads(ITEMS)):
        found = gold_of_row({"gold": form})
        assert isinstance(found, TableGold)
        assert found == TableGold.from_json(ITEMS)
    short = gold_of_row({"gold": {"table_task": "items", "table_answers": ["a", "b"]}})
    assert isinstance(short, TableGold)
    assert (short.table_task, short.table_answers) == ("items", ("a", "b"))
    rows: list[dict[str, Any]] = [
        {"completion": say('["b", "a"]'), "gold": ITEMS},
        {"completion": say('["a"]'), "gold": json.loads(ITEMS)},
        {"completion": say('"entailed"'), "gold": {"table_task": "verdict", "table_answers": ["entailed"]}},
        {"completion": say('"entailed"')},
    ]
    verdicts = list(reward_lines("table_r1", written(tmp_path, *rows)))
    assert [v["status"] for v in verdicts] == ["ok", "wrong", "ok", "unscored"]
    assert [v["value"] for v in verdicts] == pytest.approx([1.1, 0.1, 1.1, None])
    assert verdicts[0]["parts"]["accuracy"]["value"] == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"table_task": "items"}, "table_answers: Field required"),
        ({"table_task": "items", "table_answers": []}, "table_answers: .*at least 1 item"),
        ({"table_task": "items", "table_answers": [3]}, "table_answers.0: .*string"),
        ({"table_task": "cells", "table_answers": ["3"]}, "table_task: Input should be 'items'"),
        ({"table_task": "verdict", "table_answers": ["maybe"]}, "a verdict is one of entailed, refuted"),
        ('{"table_task": "items"', "Invalid JSON"),
    ],
)
def test_a_bad_gold_is_named_by_line_and_remedy(tmp_path: Path, bad: Any, message: str) -> None:
    file = written(tmp_path, {"completion": "x", "gold": ITEMS}, {"completion": "x", "gold": bad})
    with pytest.raises(DataError, match=f"bad gold: .*{message}") as caught:
        list(reward_lines("table_r1", file))
    assert (caught.value.file, caught.value.line) == (file, 2)
    assert '"table_task": "items"' in str(caught.value.remedy)


def test_a_reward_on_labels_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"that of a table .*r1_re needs a gold label"):
        list(reward_lines("r1_re", written(tmp_path, {"completion": "x", "gold": ITEMS})))


@pytest.mark.parametrize("one", [ITEMS, ENTAILED])
def test_a_judge_of_free_answers_refuses_it(one: str) -> None:
    judge = judged_reward({"rule": "substring"})
    with pytest.raises(DataError, match="judges free answers, not answers about tables") as caught:
        judge([""], [say('["a"]')], [one])
    assert "table_r1" in str(caught.value.remedy)


def test_the_reward_by_probability_refuses_it() -> None:
    pytest.importorskip("trl")
    from bythebook.training.probability_scorer import ProbabilityScorer, probability_config

    scorer = ProbabilityScorer(probability_config({}), "think")
    with pytest.raises(RecipeError, match="reads no answers about tables") as caught:
        scorer(None, [""], [say('["a"]')], [ITEMS])
    assert "table_r1" in str(caught.value.remedy)
