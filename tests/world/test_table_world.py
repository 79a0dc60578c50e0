"""Generated tables: what is asked can be read from the table, and only from it."""

from __future__ import annotations

import csv
import random
from collections import Counter
from typing import Any

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.schema.table_answers import TableGold
from bythebook.tasks import task_named
from bythebook.tasks.world.tables import KINDS
from bythebook.types import Example

TASK = task_named("world_tables")
SIZES = {"train": 200, "id": 200, "ood": 200}


def read(**options: Any) -> dict[str, list[Example]]:
    return TASK.read(None, **{**SIZES, **options})


def parts(e: Example) -> tuple[str, list[list[str]]]:
    """(question, lines of the table) of an example in the form `csv`."""
    question, _, table = e.text.partition("\n\n")
    return question.removeprefix("Entailed or refuted? "), list(csv.reader(table.split("\n")[1:]))


def worked_out(e: Example) -> list[str]:
    """The answer, worked out anew from the text alone."""
    question, (header, *rows) = parts(e)
    words = question.rstrip("?.").split()
    number = next((i for i, name in enumerate(header) if i > 1 and name in words), 0)
    if e.domain == "lookup":
        return [row[number] for row in rows if row[0] == words[-1]]
    if e.domain == "list":
        return [row[0] for row in rows if row[1] == words[4].rstrip("?")]
    if e.domain == "count":
        return [str(sum(row[1] == words[-1] for row in rows))]
    if e.domain == "max":
        return [max(rows, key=lambda row: int(row[number]))[0]]
    values = {row[0]: int(row[number]) for row in rows}
    first, second = values[words[3]], values[words[-1]]
    return ["entailed" if (first > second) == ("higher" in words) else "refuted"]


def test_every_gold_follows_from_its_table() -> None:
    for rows in read(serialisation="csv").values():
        for e in rows:
            gold = gold_of(e)
            assert isinstance(gold, TableGold)
            assert list(gold.table_answers) == worked_out(e)


@pytest.mark.parametrize("serialisation", ["markdown", "csv", "linear", "html"])
def test_targets_earn_everything_in_every_form(serialisation: str) -> None:
    judge, rng = reward("table_r1"), random.Random(0)
    for rows in read(serialisation=serialisation).values():
        for e in rows:
            gold = gold_of(e)
            assert gold is not None
            for target in (TASK.targets["answer"], TASK.targets["careful"]):
                assert judge.verdict(target(e, rng), gold.to_json()).value == pytest.approx(1.1)


def test_kinds_labels_and_splits_are_balanced_and_apart() -> None:
    found = read()
    for rows in found.values():
        assert Counter(e.domain for e in rows) == dict.fromkeys(KINDS, 40)
        assert len({e.id for e in rows}) == 200
        labels = Counter(e.reference for e in rows if e.domain == "claim")
        assert min(labels["entailed"], labels["refuted"]) >= 10
    texts = {split: {e.text for e in rows} for split, rows in found.items()}
    assert not texts["train"] & texts["id"]
    titles = {split: {e.text.split("\n")[2] for e in rows} for split, rows in found.items()}
    assert titles["train"] == titles["id"]
    assert not titles["train"] & titles["ood"]


def test_two_runs_are_equal_and_another_seed_is_another_world() -> None:
    assert read() == read()
    assert [e.text for e in read(seed=1)["id"]] != [e.text for e in read()["id"]]
    assert [len(parts(e)[1]) for e in read(rows=2, serialisation="csv")["id"]] == [3] * 200
    assert all(Example.model_validate_json(e.model_dump_json()) == e for e in read()["id"][:10])


def test_an_answer_without_the_table_earns_little() -> None:
    judge, rows = reward("table_r1_evaluation"), read()["id"]
    fixed = Counter(e.reference for e in rows).most_common(1)[0][0]
    assert fixed is not None
    value = fixed if fixed.startswith("[") else f'"{fixed}"'
    golds = [gold_of(e) for e in rows]
    paid = [judge.verdict(f'{{"answer": {value}}}', g.to_json()).value or 0.0 for g in golds if g is not None]
    assert sum(paid) / len(paid) < 0.2


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(RecipeError, match="world_tables option rows"):
        read(rows=1)
    with pytest.raises(RecipeError, match=r"world_tables option size.*serialisation"):
        read(size=1)
    with pytest.raises(DataError, match="is none of world_tables"):
        TASK.targets["careful"](read()["id"][0].model_copy(update={"meta": {}}), random.Random(0))
