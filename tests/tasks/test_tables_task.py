"""Questions about tables as examples: text, gold, prompt, targets."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.evaluation import evaluate_examples
from bythebook.generation import Sampling
from bythebook.prompts import PromptStyle, render
from bythebook.rewards import reward
from bythebook.schema import gold_of, read_gold
from bythebook.schema.table_answers import TableGold
from bythebook.tasks import task_named
from bythebook.types import Completion, Example

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = ("wikitablequestions", "tabfact", "fetaqa", "tables")
FORMS = ("markdown", "csv", "linear", "html")
TASK = task_named("tables")


def every(name: str, **options: Any) -> list[Example]:
    return [e for rows in TASK.read(FIXTURES / name, **options).values() for e in rows]


@pytest.mark.parametrize("name", NAMES)
def test_ten_rows_with_a_gold_that_the_target_earns_in_full(name: str) -> None:
    examples, rng = every(name), random.Random(0)
    assert len(examples) == len({e.id for e in examples}) == 10
    assert examples == every(name)
    for e in examples:
        assert Example.model_validate_json(e.model_dump_json()) == e
        gold = gold_of(e)
        assert isinstance(gold, TableGold)
        assert read_gold(gold.to_json()) == gold
        target = TASK.targets["answer"](e, rng)
        for judge, most in (("table_r1", 1.1), ("table_r1_release", 2.0), ("table_r1_evaluation", 1.0)):
            verdict = reward(judge).verdict(target, gold.to_json())
            assert (verdict.value, verdict.status) == (pytest.approx(most), "ok")
        assert render(e)[0]["content"].endswith(e.text.strip())
        assert e.guideline.preamble in render(e)[0]["content"]
        assert render(e, PromptStyle(template="short"))[0]["content"] == e.text.strip()
    assert TASK.checked(FIXTURES / name)["faults"] == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_every_form_shows_every_cell_and_keeps_question_and_gold(name: str, form: str) -> None:
    for plain, shown in zip(every(name), every(name, serialisation=form), strict=True):
        assert (plain.id, plain.reference, plain.meta) == (shown.id, shown.reference, shown.meta)
        assert plain.text.splitlines()[:3] == shown.text.splitlines()[:3]
    assert len({every(name, serialisation=f)[0].text for f in FORMS}) == len(FORMS)


def test_an_answer_is_written_as_its_cell_is_shown() -> None:
    e = next(e for e in every("wikitablequestions") if "last ship" in e.text)
    assert (e.reference, json.loads(e.meta["table_answers"])) == ('["Blue Lantern"]', ["Blue Lantern"])
    assert "Blue Lantern" in e.text


def test_long_tables_are_left_out() -> None:
    texts = [len(e.text) for e in every("fetaqa")]
    assert len(every("fetaqa", most_characters=min(texts))) == texts.count(min(texts))
    assert every("fetaqa", most_characters=max(texts)) == every("fetaqa")


def test_what_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no serialisation 'latex'.*markdown, csv, linear, html"):
        every("fetaqa", serialisation="latex")
    with pytest.raises(DataError, match="no table data that is known"):
        TASK.read(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        TASK.read(tmp_path / "absent")
    with pytest.raises(DataError, match="has no reference"):
        TASK.targets["answer"](every("fetaqa")[0].model_copy(update={"reference": None}), random.Random(0))


class _Echo:
    """Answers every question by its reference, the second half of them without a fence."""

    prefilled, separate = False, False

    def __init__(self, examples: list[Example]) -> None:
        self.said = {render(e)[0]["content"]: TASK.targets["answer"](e, random.Random(0)) for e in examples}
        self.asked = 0

    def generate(self, prompts: Any, sampling: Sampling) -> list[list[Completion]]:
        out = []
        for prompt in prompts:
            text = self.said[prompt[0]["content"]]
            self.asked += 1
            out.append([Completion(text=text if self.asked <= len(self.said) // 2 else text.replace("```", ""))])
        return out


def test_an_evaluation_counts_right_answers_whatever_their_form() -> None:
    examples = every("tables")
    model: Any = _Echo(examples)
    records = evaluate_examples(model, examples, style=PromptStyle(), sampling=Sampling(), samples=0)
    assert all(r.correct for r in records)
    assert [r.well_formed for r in records] == [True] * 5 + [False] * 5
    assert [r.gold for r in records] == [e.reference for e in examples]
    assert [r.answer for r in records] == [r.gold for r in records]


@pytest.mark.parametrize("name", NAMES[:3])
def test_gold_of_the_real_data_earns_everything(licensed_data: Path, name: str) -> None:
    if not (licensed_data / name).is_dir():
        pytest.skip(f"no {name} in ../shared/data")
    judges = [(reward(n), most) for n, most in (("table_r1", 1.1), ("table_r1_release", 2.0))]
    examples = [e for rows in TASK.read(licensed_data / name).values() for e in rows]
    for e in examples if name != "fetaqa" else examples[:200]:
        gold = gold_of(e)
        assert gold is not None
        for judge, most in judges:
            assert judge.verdict(TASK.targets["answer"](e, random.Random(0)), gold.to_json()).value == pytest.approx(
                most
            )
