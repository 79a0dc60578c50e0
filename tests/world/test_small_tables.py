"""The small generated tables: closed vocabulary, themes put together anew, and readers of differing care and form."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from typing import Any

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.studies.show import sample_rows
from bythebook.tasks import task_named
from bythebook.tasks.world.table_themes import SMALL_SEEN, SMALL_UNSEEN, table_pieces, table_vocabulary
from bythebook.types import Example

TASK = task_named("world_tables")
SMALL: dict[str, Any] = {"small": True, "fewest": 3, "rows": 3}


def read(n: int = 120, **options: Any) -> dict[str, list[Example]]:
    return TASK.read(None, **{**SMALL, **dict.fromkeys(("train", "id", "ood"), n), **options})


def table(e: Example) -> tuple[str, list[str], list[list[str]]]:
    """(question, header, rows) of an example in the form `csv`."""
    question, _, text = e.text.partition("\n\nTable:\n")
    header, *rows = csv.reader(text.split("\n"))
    return question.removeprefix("Entailed or refuted? "), header, rows


def worked_out(e: Example) -> list[str]:
    """The answer, worked out anew from the text alone."""
    question, header, rows = table(e)
    words = question.rstrip("?.").split()
    column = next((i for i, name in enumerate(header) if i and name in words), 0)
    if e.domain == "lookup":
        return [row[column] for row in rows if row[0] == words[-1]]
    if e.domain == "count":
        return [str(sum(row[1] == words[-1] for row in rows))]
    if e.domain == "max":
        return [max(rows, key=lambda row: int(row[2]))[0]]
    first, second = (next(int(row[2]) for row in rows if row[0] == words[i]) for i in (3, -1))
    return ["entailed" if (first > second) == ("higher" in words) else "refuted"]


def test_every_gold_follows_from_its_table_of_three_by_three() -> None:
    for rows in read(serialisation="csv").values():
        assert Counter(e.domain for e in rows) == dict.fromkeys(("lookup", "count", "max", "claim"), 30)
        for e in rows:
            assert json.loads(e.meta["table_answers"]) == worked_out(e)
            _, header, cells = table(e)
            assert [len(row) for row in (header, *cells)] == [3, 3, 3, 3]


def test_look_ups_ask_for_both_columns() -> None:
    asked = [json.loads(e.meta["table_answers"])[0] for e in read()["id"] if e.domain == "lookup"]
    assert 5 <= sum(answer.isdigit() for answer in asked) <= 25


def test_out_of_domain_words_are_known_and_their_themes_are_not() -> None:
    seen = {(t.names, t.groups) for t in SMALL_SEEN}
    assert len(SMALL_UNSEEN) == 6
    assert not seen & {(t.names, t.groups) for t in SMALL_UNSEEN}
    headers = {split: {tuple(table(e)[1]) for e in rows} for split, rows in read(serialisation="csv").items()}
    assert headers["train"] == headers["id"]
    assert not headers["id"] & headers["ood"]
    assert {w for h in headers["ood"] for w in h} == {w for h in headers["train"] for w in h}


def test_each_question_counts_for_itself() -> None:
    rows = [e for found in read().values() for e in found]
    assert len({e.meta["guideline_id"] for e in rows}) == len(rows) == 360


@pytest.mark.parametrize("serialisation", ["markdown", "csv"])
def test_cells_and_what_stands_between_them_are_single_tokens(serialisation: str) -> None:
    pytest.importorskip("torch")
    from bythebook.training.small_models import build_tokenizer

    tokenizer = build_tokenizer(table_vocabulary(), table_pieces())
    for e in read(serialisation=serialisation)["ood"]:
        ids = tokenizer(e.text)["input_ids"]
        assert tokenizer.decode(ids) == e.text
        question = e.text.partition("\n\nTable:")[0]
        # 12 cells, 11 places between them, and what stands around; no word falls apart into bytes.
        assert len(ids) - len(tokenizer(question)["input_ids"]) in (24, 25)
        for name, target in TASK.targets.items():
            said = target(e, random.Random(0))
            assert tokenizer.decode(tokenizer(said)["input_ids"]) == said
            assert len(tokenizer(said)["input_ids"]) <= 24, name


def test_careful_readers_are_right_and_hasty_ones_guess() -> None:
    judge, rng, rows = reward("table_r1"), random.Random(0), read(400)["id"]
    paid = {}
    for name in ("answer", "careful", "hasty"):
        verdicts = [judge.verdict(TASK.targets[name](e, rng), gold_of(e).to_json()) for e in rows]  # type: ignore[union-attr]
        assert {v.status for v in verdicts} <= {"ok", "wrong"}
        paid[name] = sum(v.status == "ok" for v in verdicts) / len(rows)
    assert paid["answer"] == paid["careful"] == 1
    assert 0.25 < paid["hasty"] < 0.5


def test_of_the_mixed_lot_the_stated_shares_are_careful_and_in_form() -> None:
    rng, judge, rows = random.Random(0), reward("table_r1"), read(1200, care=0.8, form=0.3)["id"]
    said = [TASK.targets["mixed"](e, rng) for e in rows]
    careful = sum("<think></think>" not in text for text in said) / len(said)
    verdicts = [judge.verdict(text, gold_of(e).to_json()) for text, e in zip(said, rows, strict=True)]  # type: ignore[union-attr]
    formed = sum(v.status in ("ok", "wrong") for v in verdicts) / len(said)
    assert careful == pytest.approx(0.8, abs=0.05)
    assert formed == pytest.approx(0.3, abs=0.05)
    # Out of form it is the fence that lacks: the answer can still be read.
    assert {v.status for v in verdicts} <= {"ok", "wrong", "malformed"}


def test_both_serialisations_come_by_turns_for_every_kind() -> None:
    found = Counter((e.domain, "|" in e.text) for e in read(200, serialisation="both")["id"])
    assert set(found.values()) == {25}
    assert len(found) == 8


def test_rows_at_least_are_no_more_than_rows_at_most() -> None:
    with pytest.raises(RecipeError, match="2 rows at most, 3 at least"):
        read(rows=2)
    assert {len(table(e)[2]) for e in read(fewest=2, rows=4, serialisation="csv")["id"]} == {2, 3, 4}


@pytest.mark.parametrize("target", ["careful", "hasty"])
def test_an_example_of_another_task_is_refused(target: str) -> None:
    with pytest.raises(DataError, match="is none of world_tables"):
        TASK.targets[target](read()["id"][0].model_copy(update={"meta": {}}), random.Random(0))


def test_rows_are_shown_without_any_option() -> None:
    rows = sample_rows("world_tables", None, 2)
    assert [row["split"] for row in rows] == ["train", "train", "id", "id", "ood", "ood"]
    assert all("Table: " in row["prompt"] and row["gold"] for row in rows)
