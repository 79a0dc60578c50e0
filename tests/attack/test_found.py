"""What the search has found: completions that the released reward overpays, kept as they were found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.rewards import reward
from bythebook.studies.attack.attempts import Attempt
from bythebook.studies.attack.items import ITEMS
from bythebook.studies.attack.laws import HOLES
from bythebook.studies.attack.yardstick import TOLERANCE, deserved_by

FILE = Path(__file__).parents[1] / "fixtures" / "attack" / "found.jsonl"
FOUND = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
BY_NAME = {item.name: item for item in ITEMS}


def excess(name: str, row: dict[str, Any]) -> float:
    """What a completion earns beyond what its F1 deserves."""
    judge, item = reward(name), BY_NAME[row["item"]]

    def pay(text: str) -> float | None:
        return judge.verdict(text, item.gold_json).value

    attempt = Attempt(row["completion"], row["entities"], row["relations"])
    return (pay(attempt.completion) or 0.0) - deserved_by(pay, item).at(attempt)


@pytest.mark.parametrize("row", FOUND, ids=lambda row: f"{row['hole']} ({row['item']})")
def test_what_was_found_in_the_release_is_not_overpaid_by_ours(row: dict[str, Any]) -> None:
    assert row["hole"] in HOLES
    assert excess("r2grpo", row) <= TOLERANCE
    assert excess("r1_re_triplets", row) <= TOLERANCE
    if row["hole"] != "repeated quote":  # there it earns more than the same without the repetition
        assert excess("r2grpo_release", row) > TOLERANCE


def test_several_holes_are_kept() -> None:
    assert len({row["hole"] for row in FOUND}) >= 4
