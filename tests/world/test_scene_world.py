"""Scenes in symbols, questions about them, and the annotators who describe them."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.metrics.visual_facts import facts_in, perceived
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.schema.answers import AnswerGold
from bythebook.tasks import task_named
from bythebook.tasks.world.scene_annotators import SHARES, describe, question_in, scene_in
from bythebook.tasks.world.scene_questions import KINDS, Question
from bythebook.tasks.world.scene_things import CELLS, COLOURS, SHAPES, SIZES, Scene, Thing, slipped
from bythebook.types import Example

SIZES_OF = {"train": 300, "id": 200, "ood": 200}
SPLITS = task_named("world_scenes").read(None, **SIZES_OF)
ROWS = [e for rows in SPLITS.values() for e in rows]
SCENE = Scene(
    things=(
        Thing(cell="a1", colour="red", shape="circle", size="large"),
        Thing(cell="c1", colour="red", shape="star", size="small"),
        Thing(cell="b3", colour="blue", shape="square", size="large"),
    )
)


def facts_of(example: Example) -> list[str]:
    found: list[str] = json.loads(example.meta["annotations"])
    return found


@pytest.mark.parametrize(
    ("question", "answer", "facts"),
    [
        (Question(kind="colour", shape="star"), "red", ("the star is at c1", "the star is red")),
        (Question(kind="size", shape="square"), "large", ("the square is at b3", "the square is large")),
        (Question(kind="shape", cell="b3"), "square", ("the square is at b3",)),
        (Question(kind="shape", cell="b2"), "nothing", ("b2 is empty",)),
        (
            Question(kind="count", colour="red"),
            "two",
            ("the circle is red", "the star is red", "the square is blue", "there are two red things"),
        ),
        (
            Question(kind="relation", shape="circle", other="star", beside="left of"),
            "yes",
            ("the circle is at a1", "the star is at c1"),
        ),
        (
            Question(kind="relation", shape="square", other="star", beside="above"),
            "no",
            ("the square is at b3", "the star is at c1"),
        ),
        (
            Question(kind="relation", shape="circle", other="star", beside="above"),
            "no",
            ("the circle is at a1", "the star is at c1"),
        ),
    ],
)
def test_answers_and_facts_of_a_scene(question: Question, answer: str, facts: tuple[str, ...]) -> None:
    assert SCENE.symbols == "a1 r o + ; c1 r s - ; b3 b q +"
    assert question.answer(SCENE) == answer
    assert question.facts(SCENE) == facts
    assert answer in question.accepted(SCENE)


def test_every_fact_is_one_and_the_full_description_states_all_of_them() -> None:
    for e in ROWS:
        facts = facts_of(e)
        assert facts
        text = describe(scene_in(e), question_in(e))
        assert [found and (found.stated, found.contradicted) for found in facts_in(text, facts)] == [
            (True, False)
        ] * len(facts)


def test_copying_scene_question_answer_or_guideline_shows_no_fact() -> None:
    for e in ROWS:
        asked = e.text.replace("?", ".").replace("that ", "").replace("is it ", "")
        assert perceived(f"{asked} {e.reference}", facts_of(e)) is False
        for text in (e.text, asked, f"{e.guideline.preamble}\n{e.text}"):
            assert not any(found and found.seen for found in facts_in(text, facts_of(e))), e.text


def test_splits_are_what_they_say() -> None:
    assert {split: len(rows) for split, rows in SPLITS.items()} == SIZES_OF
    assert task_named("world_scenes").read(None, **SIZES_OF) == SPLITS
    assert len({e.id for e in ROWS}) == len(ROWS)
    scenes = {split: {scene_in(e).symbols for e in rows} for split, rows in SPLITS.items()}
    assert not scenes["train"] & scenes["id"]
    assert {len(scene_in(e).things) for e in SPLITS["train"]} == {3}
    assert {len(scene_in(e).things) for e in SPLITS["ood"]} == {4}
    words = {split: {word for e in rows for word in e.text.split()} for split, rows in SPLITS.items()}
    assert words["ood"] <= words["train"]
    questions = {split: {e.text.splitlines()[1] for e in rows} for split, rows in SPLITS.items()}
    assert not questions["ood"] & questions["train"]
    for rows in SPLITS.values():
        assert Counter(e.domain for e in rows) == dict.fromkeys(KINDS, len(rows) // len(KINDS))


def test_seeds_and_options_change_what_is_drawn() -> None:
    other = task_named("world_scenes").read(None, train=20, seed=1)["train"]
    assert [e.text for e in other] != [e.text for e in SPLITS["train"][:20]]
    colours = task_named("world_scenes").read(None, train=9, kinds=["colour"], things=2)["train"]
    assert {e.domain for e in colours} == {"colour"}
    assert {len(scene_in(e).things) for e in colours} == {2}
    with pytest.raises(RecipeError, match="world_scenes option"):
        task_named("world_scenes").read(None, things=4)
    with pytest.raises(DataError, match="reads no path"):
        task_named("world_scenes").read("x")


def test_answers_can_be_guessed_in_domain_and_hardly_out_of_domain() -> None:
    def share(split: str) -> float:
        rows = SPLITS[split]
        assert all((e.meta["guessable"] == "true") == (question_in(e).guess() == e.reference) for e in rows)
        return sum(e.meta["guessable"] == "true" for e in rows) / len(rows)

    assert share("train") > 0.7
    assert share("id") > 0.7
    assert 0.2 < share("ood") < 0.5
    free = task_named("world_scenes").read(None, train=300, habit=0.0)["train"]
    assert sum(e.meta["guessable"] == "true" for e in free) / 300 < 0.5


def test_an_evaluation_has_enough_items_for_the_exact_test() -> None:
    assert all(n >= 200 for n in task_named("world_scenes").test_options.values())


def test_targets_say_what_their_name_says() -> None:
    judge, rng, task = reward("perception_r1"), random.Random(0), task_named("world_scenes")
    for e in ROWS:
        gold = gold_of(e)
        assert isinstance(gold, AnswerGold)
        assert gold.annotations == tuple(facts_of(e))
        assert judge.verdict(task.targets["careful"](e, rng), gold.to_json()).value == pytest.approx(1.7)
        alone = judge.verdict(task.targets["answer"](e, rng), gold.to_json())
        assert alone.value == pytest.approx(0.9)


def test_the_mixed_staff_describes_well_as_often_as_it_should() -> None:
    rng, mixed = random.Random(1), task_named("world_scenes").targets["mixed"]
    seen, silent = 0, 0
    for e in ROWS:
        thinking = mixed(e, rng).partition("</think>")[0]
        seen += bool(perceived(thinking, facts_of(e)))
        silent += "a guess" in thinking
    assert 0.22 < silent / len(ROWS) < 0.38
    assert SHARES["careful"] - 0.05 < seen / len(ROWS) < 0.7  # whoever slips may slip where nobody asks


def test_the_rule_judges_a_wrong_description_as_the_scenes_themselves_do() -> None:
    rng, wrong = random.Random(3), 0
    for e in ROWS:
        question, seen = question_in(e), slipped(scene_in(e), rng)
        true_there = question.facts(seen)
        found = facts_in(describe(seen, question), facts_of(e))
        for fact, finding in zip(facts_of(e), found, strict=True):
            wrong += fact not in true_there
            assert finding == ((True, False) if fact in true_there else (False, True)), (fact, seen.symbols)
    assert wrong > 100


def test_a_slip_changes_one_thing_in_one_way() -> None:
    rng = random.Random(2)
    for _ in range(200):
        wrong = slipped(SCENE, rng)
        assert {thing.shape for thing in wrong.things} == {thing.shape for thing in SCENE.things}
        changed = [
            (name, getattr(thing, name))
            for thing in wrong.things
            for name in ("cell", "colour", "size")
            if getattr(thing, name) != getattr(SCENE.of_shape(thing.shape), name)
        ]
        assert len(changed) == 1
        assert len({thing.cell for thing in wrong.things}) == 3


def test_the_words_of_the_world_are_known_to_the_judge() -> None:
    for cell in CELLS:
        for colour in COLOURS:
            for shape in SHAPES:
                for size in SIZES:
                    assert perceived(f"{cell} is a {size} {colour} {shape}", [f"the {shape} is at {cell}"]) is True


def test_examples_of_other_tasks_are_refused() -> None:
    (other,) = task_named("world_answers").read(None, train=1)["train"]
    for target in task_named("world_scenes").targets.values():
        with pytest.raises(DataError, match="none of world_scenes"):
            target(other, random.Random(0))
