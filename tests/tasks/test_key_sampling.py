"""Strategy A: random subsets of the keys that a gold states."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.schema.key_values import KeySchema
from bythebook.tasks import task_named
from bythebook.tasks.key_sampling import with_key_subsets, with_some_keys
from bythebook.types import Example

ROWS = task_named("world_forms").read(None, train=40, id=4, ood=4)
TRAIN = ROWS["train"]


def keys_of(example: Example) -> tuple[str, ...]:
    return KeySchema.of(example.guideline).names


def test_prompt_and_gold_have_the_same_keys_all_of_them_stated() -> None:
    for whole, part in zip(TRAIN, with_key_subsets(TRAIN), strict=True):
        values, kept = json.loads(whole.reference or ""), json.loads(part.reference or "")
        assert set(keys_of(part)) == set(kept) <= set(values)
        assert all(kept[name] == values[name] for name in kept)
        assert part.text == whole.text
        assert part.guideline.hash != whole.guideline.hash or keys_of(part) == keys_of(whole)
        assert KeySchema.of(part.guideline) == KeySchema.of(whole.guideline).restricted(kept)


def test_of_all_declared_keys_one_is_stated_at_least() -> None:
    in_vain = 0
    for whole, part in zip(TRAIN * 5, with_key_subsets(TRAIN * 5, declared=True), strict=True):
        values, kept = json.loads(whole.reference or ""), json.loads(part.reference or "")
        asked = set(keys_of(part))
        assert asked <= set(keys_of(whole))
        assert kept == {name: value for name, value in values.items() if name in asked}
        assert kept
        in_vain += len(asked - set(values))
    assert in_vain > 40
    asked_for = task_named("world_forms").read(None, train=40, keys="declared", draws=2)["train"]
    assert asked_for == with_key_subsets(TRAIN, draws=2, declared=True)


def test_what_is_drawn_depends_on_seed_id_and_number_alone() -> None:
    assert with_key_subsets(TRAIN, seed=1) == with_key_subsets(TRAIN, seed=1)
    assert with_key_subsets(TRAIN, seed=1) != with_key_subsets(TRAIN, seed=2)
    assert with_key_subsets(TRAIN[5:7], draws=2) == with_key_subsets(TRAIN, draws=2)[10:14]
    assert with_key_subsets(TRAIN, draws=1) == with_key_subsets(TRAIN, draws=2)[::2]


def test_every_size_from_one_to_all_is_as_likely() -> None:
    example = max(TRAIN, key=lambda e: len(json.loads(e.reference or "")))
    most = len(json.loads(example.reference or ""))
    drawn = with_key_subsets([example], draws=600 * most)
    assert len({e.id for e in drawn}) == len(drawn)
    sizes = Counter(len(keys_of(e)) for e in drawn)
    assert set(sizes) == set(range(1, most + 1))
    assert all(500 < count < 700 for count in sizes.values())
    every = Counter(name for e in drawn for name in keys_of(e))
    assert max(every.values()) - min(every.values()) < 0.2 * max(every.values())


def test_a_document_of_which_nothing_is_stated_or_known_is_asked_for_everything_once() -> None:
    blank = TRAIN[0].model_copy(update={"reference": None})
    empty = TRAIN[0].model_copy(update={"reference": json.dumps({"drugs": [], "date": ""})})
    assert with_key_subsets([blank, empty], draws=3) == [blank, empty]


def test_some_keys_of_an_unannotated_document() -> None:
    blank = TRAIN[0].model_copy(update={"reference": None})
    part = with_some_keys(blank, ["date"], "x")
    assert (part.id, keys_of(part), part.reference) == ("x", ("date",), None)


def test_the_option_changes_training_alone() -> None:
    asked = task_named("world_forms").read(None, train=40, id=4, ood=4, keys="subset", draws=2)
    assert len(asked["train"]) == 80
    assert (asked["id"], asked["ood"]) == (ROWS["id"], ROWS["ood"])
    mean = [sum(len(e.reference or "") for e in rows) / len(rows) for rows in (asked["train"], TRAIN)]
    assert mean[0] < mean[1]  # shorter answers: what the paper says of the strategy


def test_options_that_there_are_not_are_refused() -> None:
    with pytest.raises(RecipeError, match="keys"):
        task_named("world_forms").read(None, train=1, keys="some")
    with pytest.raises(RecipeError, match="ask at least once"):
        task_named("sroie").read("tests/fixtures/sroie", draws=0)
    with pytest.raises(RecipeError, match="all, subset, declared"):
        task_named("sroie").read("tests/fixtures/sroie", keys="some")
    with pytest.raises(DataError, match="path"):
        task_named("key_values").read(None)
