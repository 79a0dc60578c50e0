"""`bythebook attack`, and `bythebook reward` on extractions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bythebook import cli
from bythebook.records import write_jsonl
from bythebook.studies.attack import battery, label_tricks
from bythebook.studies.attack.attempts import honest
from bythebook.studies.attack.items import ITEMS
from bythebook.studies.attack.tricks import TRICKS


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


Call = Callable[..., Result]
CHOSEN = ("no_answer", "every_word_of_every_type", "filler_before_a_wrong_answer")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run a command with a few of the tricks; anything but an exit code is a traceback, and fails the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(battery, "TRICKS", tuple(trick for trick in TRICKS if trick.__name__ in CHOSEN))
    monkeypatch.setattr(label_tricks, "TRICKS", label_tricks.TRICKS[:2])

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["bythebook", *map(str, arguments)])
        code = cli.main()
        assert type(code) is int
        return Result(code, *capsys.readouterr())

    return run


def test_help_has_an_example(call: Call) -> None:
    result = call("attack", "--help")
    assert (result.code, result.err) == (0, "")
    assert "Usage: bythebook attack" in result.out
    assert "Example: bythebook attack" in result.out


def test_all_rewards_are_attacked_and_none_of_ours_overpays(call: Call) -> None:
    result = call("attack", "--json")
    assert result.code == 0
    found = result.json
    assert set(found) == {"rewards", "tricks", "tried", "overpaid", "faithful"}
    assert (found["rewards"], found["tricks"], found["overpaid"]) == (10, 34, [])
    assert found["tried"] > 100
    assert {row["trick"] for row in found["faithful"]["overpaid"]} >= {"no_answer", "filler_before_a_wrong_answer"}
    assert all(
        set(row) == {"reward", "trick", "earned", "honest", "completion"} for row in found["faithful"]["overpaid"]
    )


def test_one_reward_is_attacked_and_shown_as_a_table(call: Call) -> None:
    result = call("attack", "r1_re_triplets")
    assert result.code == 0
    assert "no answer" in result.out
    assert "1 rewards, 3 tricks" in result.out
    control = call("attack", "r2grpo_release")
    assert control.code == 0
    assert "as published" in control.out
    assert "overpaid" in control.out


def test_a_reward_that_overpays_is_exit_code_one(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(battery, "FAITHFUL", {})
    result = call("attack", "r2grpo_release", "--json")
    assert result.code == 1
    assert result.json["overpaid"]
    plain = call("attack", "r2grpo_release")
    assert plain.code == 1
    assert "r2grpo_release pays no_answer" in plain.out


def test_the_search_is_reported(call: Call) -> None:
    found = call("attack", "r2grpo", "r2grpo_release", "--search", 400, "--seed", 3, "--json").json
    assert found["search"]["seed"] == 3
    assert all(tried >= 400 for tried in found["search"]["tried"].values())
    assert found["search"]["overpaid"] == []
    assert {row["hole"] for row in found["search"]["faithful"]} >= {"no answer", "filler"}
    plain = call("attack", "r2grpo_release", "--search", 400, "--seed", 3)
    assert plain.code == 0
    assert "an answer that is not there is paid" in plain.out


@pytest.mark.parametrize("name", ["nothing", "format_only"])
def test_what_can_not_be_attacked_is_refused_in_a_line(call: Call, name: str) -> None:
    result = call("attack", name)
    assert (result.code, result.out) == (1, "")
    assert name in result.err
    assert "Traceback" not in result.err


def test_a_reward_on_extractions_judges_a_file(call: Call, tmp_path: Path) -> None:
    item = ITEMS[0]
    gold = {"ner": item.entities, "rel": item.relations}
    rows = [
        {
            "completion": honest(item, *right),
            "text": item.text,
            "gold": gold,
            "labels": list(item.schema.relation_names),
            "entity_types": list(item.schema.entity_types),
        }
        for right in ((True, True), (False, False))
    ]
    rows.append({"completion": honest(item, True, True), "gold": json.loads(item.gold_json)})
    rows.append({"completion": honest(item, True, True), "gold": item.gold_json})
    write_jsonl(tmp_path / "c.jsonl", rows)
    for name in ("r2grpo", "r2grpo_release", "r1_re_triplets"):
        lines = [json.loads(line) for line in call("reward", name, "c.jsonl").out.splitlines()]
        assert [line["status"] for line in lines] == ["ok", "wrong", "ok", "ok"]
        assert lines[0]["value"] == lines[2]["value"] == lines[3]["value"] > lines[1]["value"]
