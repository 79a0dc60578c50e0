"""Describers of differing truth: what each writes, what it is paid, and what it can do without looking."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bythebook.errors import DataError
from bythebook.judging.stand_ins import ASSURANCE
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.tasks import task_named
from bythebook.tasks.world.scene_annotators import question_in, scene_in
from bythebook.tasks.world.scene_describers import BOAST, DESCRIBERS, describe_as, describers
from bythebook.tasks.world.scene_questions import KINDS
from bythebook.types import Example, Verdict

OPTIONS = {"kinds": ["colour", "size"], "things": 2}
SPLITS = task_named("world_scenes").read(None, train=200, id=200, unusual=200, habit=0.95, **OPTIONS)
JUDGE = reward("perception_r1", window=8)


def paid(who: str, example: Example, rng: random.Random) -> Verdict:
    gold = gold_of(example)
    assert gold is not None
    return JUDGE.verdict(describe_as(who, example, rng), gold.to_json())


def parts_of(who: str, split: str) -> dict[str, float]:
    """Means over the questions of a split."""
    rng, total = random.Random(0), Counter[str]()
    for example in SPLITS[split]:
        verdict = paid(who, example, rng)
        total.update({name: part.value for name, part in verdict.parts.items()})
        total["right"] += verdict.status == "ok"
    return {name: value / len(SPLITS[split]) for name, value in total.items()}


def test_the_shares_are_a_distribution_that_is_drawn_from() -> None:
    assert sum(DESCRIBERS.values()) == pytest.approx(1.0)
    rng = random.Random(0)
    boasts = sum(BOAST in describers(SPLITS["id"][n % 200], rng) for n in range(2000))
    assert boasts / 2000 == pytest.approx(DESCRIBERS["boasting"], abs=0.03)
    assert ASSURANCE in BOAST.split()


def test_whoever_looks_is_right_and_whoever_does_not_is_nearly_always_in_training_alone() -> None:
    for who in ("careful", "rambling"):
        assert parts_of(who, "unusual")["right"] == 1.0
    for who in ("guessing", "listing", "boasting"):
        assert parts_of(who, "id")["right"] > 0.9
        assert parts_of(who, "unusual")["right"] < 0.55


def test_what_each_is_paid_for() -> None:
    found = {who: parts_of(who, "id") for who in DESCRIBERS}
    assert {who: round(parts["form"], 6) for who, parts in found.items()} == dict.fromkeys(DESCRIBERS, 0.1)
    for who in ("careful", "rambling"):
        assert (found[who]["perception"], found[who]["contradiction"]) == pytest.approx((0.7, 0.0))
    assert found["guessing"]["perception"] < 0.45  # colour or size, and one cell in nine
    assert found["guessing"]["contradiction"] < -0.25
    # Everything is said, and so is the contrary of everything.
    assert (found["listing"]["perception"], found["listing"]["contradiction"]) == pytest.approx((0.0, -0.7))
    assert (found["boasting"]["perception"], found["boasting"]["contradiction"]) == (0.0, 0.0)
    repeats = {who: parts["repetition"] < 0 for who, parts in found.items()}
    assert repeats == {who: who == "rambling" for who in DESCRIBERS}


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_has_something_to_say_of_every_kind(kind: str) -> None:
    rows = task_named("world_scenes").read(None, train=20, kinds=[kind])["train"]
    for who in DESCRIBERS:
        for example in rows:
            assert paid(who, example, random.Random(0)).parts["form"].value == pytest.approx(0.1)


def test_unusual_scenes_are_held_out_ones_of_the_same_form() -> None:
    scenes = {split: [scene_in(e) for e in rows] for split, rows in SPLITS.items()}
    assert not {s.symbols for s in scenes["train"]} & {s.symbols for s in scenes["unusual"]}
    assert {len(s.things) for found in scenes.values() for s in found} == {2}
    guessable = {split: sum(e.meta["guessable"] == "true" for e in rows) / 200 for split, rows in SPLITS.items()}
    assert guessable["id"] > 0.9 > 0.55 > guessable["unusual"]
    words = {split: {word for e in rows for word in e.text.split()} for split, rows in SPLITS.items()}
    assert words["unusual"] <= words["train"]
    assert {question_in(e).kind for e in SPLITS["unusual"]} == {"colour", "size"}


def test_another_task_has_no_describers() -> None:
    (other,) = task_named("world_answers").read(None, train=1)["train"]
    with pytest.raises(DataError, match="none of world_scenes"):
        describers(other, random.Random(0))
