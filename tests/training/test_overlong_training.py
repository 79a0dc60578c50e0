"""`reward.overlong`: long completions cost what the formula says, and groups are still told by what was earned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bythebook.errors import InputError
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import Record, read_jsonl, read_records
from bythebook.rewards.overlong import Overlong
from bythebook.training import train

OVERLONG = Overlong(limit=22, buffer=12, factor=0.5)
PENALISED = ("reward.overlong={limit: 22, buffer: 12, factor: 0.5}", "data.options.train=24")
PAYS = ("reward.name=r1_re", "reward.options={bad_format: -1.0, wrong: 0.25, right: 1.0}")
EARNED = {-1.0, 0.25, 1.0}
GROUP = 4


def _records(output: Path) -> list[Record]:
    return read_records(output / "records" / "rollouts.jsonl")


def _earned(record: Record) -> float:
    assert record.value is not None
    return round(record.value - OVERLONG.penalty(record.tokens or 0), 5)  # rewards are 32-bit numbers


def test_every_rollout_is_paid_less_its_penalty(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    train(short_rl(*PENALISED, *PAYS), output=tmp_path, quiet=True)
    records = _records(tmp_path)
    assert {_earned(r) for r in records} <= EARNED
    long = [r for r in records if OVERLONG.penalty(r.tokens or 0) < 0]
    assert 0 < len(long) < len(records), "the test says nothing"
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "overlong" in row]
    assert len(rows) == 2
    assert sum(row["overlong"] for row in rows) / 2 == pytest.approx(len(long) / len(records))


def test_groups_are_told_by_what_was_earned_before_it(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    more = ("rollout.refill={rule: fixed, max_prompts: 8}", "training.max_steps=3")
    train(short_rl(*PENALISED, *PAYS, *more), output=tmp_path, quiet=True)
    records = _records(tmp_path)
    groups = [records[i : i + GROUP] for i in range(0, len(records), GROUP)]
    equal = [group for group in groups if len({_earned(r) for r in group}) == 1]
    assert any(len({r.value for r in group}) > 1 for group in equal), "no such group: the test says nothing"
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "prompts_drawn" in row]
    shares = ("groups_all_right", "groups_all_wrong", "groups_all_equal")
    thrown = sum(row["prompts_drawn"] * sum(row[name] for name in shares) for row in rows)
    assert thrown == pytest.approx(len(equal))


def test_all_domains_have_one_penalty_and_self_play_none() -> None:
    short = "overlong: {limit: 9, buffer: 1, factor: 1}"
    also = f"data.also=[{{task: world_relations, name: more, reward: {{name: r1_re, {short}}}}}]"
    with pytest.raises(InputError, match=r"data\.also\.0\.reward\.overlong: reward\.overlong is for the completions"):
        load_recipe("r1_re_tiny", [also])
    with pytest.raises(InputError, match=r"reward\.overlong beside rollout\.self_play"):
        load_recipe("absolute_zero_tiny", [f"reward.{short.replace(': ', '=', 1)}"])
    with pytest.raises(InputError, match="a buffer of 10 tokens is longer than the limit 9"):
        load_recipe("r1_re_tiny", ["reward.overlong={limit: 9, buffer: 10, factor: 1}"])
