"""Tasks whose examples are questions with free answers: the world's, one's own, and verdicts to learn from."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.metrics.answer_meaning import same_meaning
from bythebook.prompts import PromptStyle, render
from bythebook.rewards import reward
from bythebook.rewards.answers import Monitor, gold_text
from bythebook.schema import gold_of, read_gold
from bythebook.schema.answers import AnswerGold
from bythebook.tasks import task_named
from bythebook.tasks.world.answers import answer_as, mixed_answer
from bythebook.types import Example

FIXTURES = Path(__file__).parents[1] / "fixtures"
SIZES = {"train": 40, "id": 40, "ood": 40}


def world(**options: Any) -> dict[str, list[Example]]:
    return task_named("world_answers").read(None, **{**SIZES, **options})


def every(name: str) -> list[Example]:
    read = {
        "world_answers": world,
        "world_fields": lambda: task_named("world_fields").read(None, **SIZES),
        "world_scenes": lambda: task_named("world_scenes").read(None, **SIZES),
        "free_answers": lambda: task_named("free_answers").read(FIXTURES / "free_answers"),
        "verdicts": lambda: task_named("verdicts").read(FIXTURES / "verdicts"),
    }
    return [e for rows in read[name]().values() for e in rows]


@pytest.mark.parametrize("name", ["world_answers", "world_fields", "world_scenes", "free_answers", "verdicts"])
def test_a_question_has_a_reference_a_prompt_and_a_gold_that_its_reference_earns(name: str) -> None:
    examples, judge = every(name), reward("free_answer")
    assert len(examples) >= 10
    assert len({e.id for e in examples}) == len(examples)
    assert examples == every(name)
    for e in examples:
        assert Example.model_validate_json(e.model_dump_json()) == e
        gold = gold_of(e)
        assert isinstance(gold, AnswerGold)
        assert read_gold(gold.to_json()) == gold
        assert gold_text(gold) == e.reference
        assert judge.verdict(f"because\n{e.reference}", gold.to_json()).status == "ok"
        assert judge.verdict("", gold.to_json()).status == "no_answer"
        answer = Monitor()(f"{e.reference}", gold)
        assert (answer.text, answer.correct, answer.well_formed) == (e.reference, True, True)
        assert render(e, PromptStyle(template="short"))[0]["content"] == e.text.strip()
        # A row of verdicts is the whole prompt, and so is a field with its guideline.
        asked = e.text if name in ("verdicts", "world_fields") else f"Question: {e.text}"
        assert render(e, PromptStyle())[0]["content"].endswith(asked)


def test_the_prompt_says_where_the_answer_has_to_stand() -> None:
    (first, *_) = every("free_answers")
    content = render(first, PromptStyle())[0]["content"]
    assert "Therefore, the answer is" in content
    assert str(first.reference) not in content


def test_the_three_kinds_of_gold_are_told_apart() -> None:
    text = json.dumps({"question": "q", "reference": "r"})
    assert read_gold(text) == AnswerGold(question="q", reference="r")
    assert read_gold(json.dumps({"question": "q"})) is None
    assert read_gold("{}") is None


def test_the_world_asks_about_the_same_facts_in_all_splits_and_in_other_words_out_of_domain() -> None:
    splits = world(train=200, id=200, ood=200)
    seen = {split: {e.text for e in rows} for split, rows in splits.items()}
    assert seen["train"] & seen["id"]
    assert not seen["ood"] & (seen["train"] | seen["id"])
    words = {split: set(re.findall(r"\w+", " ".join(texts))) for split, texts in seen.items()}
    assert words["ood"] <= words["train"]
    by_fact: dict[str, set[str]] = {}
    for e in (e for rows in splits.values() for e in rows):
        by_fact.setdefault(e.meta["guideline_id"], set()).add(str(e.reference))
        assert all(same_meaning(a, str(e.reference), e.text) for a in by_fact[e.meta["guideline_id"]])
    assert len(by_fact) == 64
    assert sum(len(wordings) > 1 for wordings in by_fact.values()) > 50


def test_answerers_are_right_or_wrong_as_their_name_says() -> None:
    rng = random.Random(1)
    for e in every("world_answers"):
        for kind in ("right", "wrong", "listing", "copied", "verdict"):
            answer = answer_as(kind, e, rng)
            assert same_meaning(answer, str(e.reference), e.text) == (kind == "right"), (kind, answer)


def test_the_mixed_lot_knows_most_answers_and_often_says_something_else() -> None:
    rng, (example, *_) = random.Random(2), every("world_answers")
    said = [mixed_answer(example, rng) for _ in range(2000)]
    right = sum(same_meaning(answer, str(example.reference), example.text) for answer in said) / len(said)
    assert 0.40 < right < 0.50
    counts = Counter("list" if " or " in answer else "other" for answer in said)
    assert 0.15 < counts["list"] / len(said) < 0.25


def test_seeds_change_questions_and_facts_apart_from_each_other() -> None:
    first, other = world(seed=1)["train"], world(seed=2)["train"]
    assert [e.text for e in first] != [e.text for e in other]
    facts = {e.meta["guideline_id"]: e.meta["_value"] for e in world(seed=1, train=64)["train"]}
    assert facts == {e.meta["guideline_id"]: e.meta["_value"] for e in world(seed=2, train=64)["train"]}
    assert facts != {e.meta["guideline_id"]: e.meta["_value"] for e in world(facts=1, train=64)["train"]}


def test_what_can_be_asked_wrongly_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="world_answers option"):
        world(people=0)
    with pytest.raises(RecipeError, match=r"has no option 'size'|option"):
        world(size=3)
    for name in ("free_answers", "verdicts"):
        with pytest.raises(DataError, match="path"):
            task_named(name).read(None)
    bad = tmp_path / "train.jsonl"
    bad.write_text(
        '{"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "MAYBE"}]}\n'
    )
    with pytest.raises(DataError, match=r"completion\.0\.content") as caught:
        task_named("verdicts").read(bad)
    assert (caught.value.file, caught.value.line) == (bad, 1)
    found = task_named("verdicts").checked(bad)
    assert [f["line"] for f in found["faults"]] == [1]
