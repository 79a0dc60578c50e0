"""The guideline swap: the same questions under codes, told in their own words again, and tables from kept records."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from bythebook.errors import InputError
from bythebook.guidelines import load_from_library, rotate_names, vary
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import load_recipe
from bythebook.records import Record, read_records, write_jsonl
from bythebook.studies.kept import keep
from bythebook.studies.r1_re.swap import (
    QUICK,
    SwapSize,
    in_own_words,
    main,
    questions,
    quoted_from,
    run_seed,
    run_swap,
    shown_as_codes,
)
from bythebook.studies.r1_re.swap_results import CONTROL, MODELS, TESTS, results
from bythebook.tasks import task_named
from bythebook.training.variation import batch_variation
from bythebook.types import Example

CODE = re.compile(r"R\d\d")
RECIPES = ("r1_re_swap_warm_start", "r1_re_swap_tiny")


# ----------------------------------------------------------------------------------- what training shows


@pytest.mark.parametrize("name", RECIPES)
def test_training_shows_codes_in_prompt_and_gold(name: str, fixtures: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.prompt.shuffle_relations
    sentences = task_named("semeval2010").read(fixtures / "semeval2010_task8")["train"]
    known = [r.name for r in sentences[0].guideline.relation_types]
    style = PromptStyle(template=recipe.prompt.template, rendering=recipe.prompt.rendering)
    orders = set()
    for batch in range(3):
        variation = batch_variation(recipe.prompt, recipe.seed, batch)
        for e in vary(sentences, variation):
            prompt = render(e, style)[0]["content"]
            assert not [name for name in known if name in prompt]
            assert e.gold is not None
            assert e.gold.name == "Other" or (CODE.fullmatch(e.gold.name) and f"- {e.gold.name}: " in prompt)
            orders.add(prompt.partition("Text:")[0])
    assert len(orders) == 3


def test_the_target_names_the_code_and_quotes_the_definition_that_stands_beside_it(fixtures: Path) -> None:
    recipe = load_recipe("r1_re_swap_warm_start")
    task = task_named("semeval2010")
    sentences = task.read(fixtures / "semeval2010_task8")["train"]
    shown, _ = shown_as_codes(sentences, 3)
    style = PromptStyle(template=recipe.prompt.template, rendering=recipe.prompt.rendering)
    quoted = 0
    for e in shown:
        written = task.targets[str(recipe.data.target)](e, random.Random(0))
        assert e.gold is not None
        if e.gold.direction is None:
            assert written == "<think>no definition fits</think><answer>Other</answer>"
            continue
        found = re.fullmatch(r"<think>(.+)</think><answer>(R\d\d)(\(.+\))</answer>", written)
        assert found is not None
        assert found[3] == e.gold.direction
        assert f"- {found[2]}: {found[1]}" in render(e, style)[0]["content"]
        quoted += 1
    assert quoted > 2


# ----------------------------------------------------------------------------------- what a test asks


def _questions(fixtures: Path) -> dict[str, list[Example]]:
    return questions(fixtures, QUICK)


def test_the_tests_are_the_three_data_sets_and_the_same_ones_are_drawn_each_time(fixtures: Path) -> None:
    whole, some = questions(fixtures, SwapSize()), questions(fixtures, SwapSize(limit=2))
    assert list(whole) == list(TESTS)
    assert {name: len(rows) for name, rows in some.items()} == dict.fromkeys(TESTS, 2)
    assert some == questions(fixtures, SwapSize(limit=2))
    for name, rows in whole.items():
        assert {e.split for e in rows} == {"test"}
        assert [e for e in rows if e in some[name]] == some[name]
    assert len({e.guideline.hash for rows in whole.values() for e in rows}) == 3


def test_questions_under_codes_keep_their_order_and_meaning(fixtures: Path) -> None:
    for rows in _questions(fixtures).values():
        shown, codes = shown_as_codes(rows, 2)
        assert [e.id for e in shown] == [e.id for e in rows]
        assert len({e.guideline.hash for e in shown}) == min(2, len(rows))
        for before, after in zip(rows, shown, strict=True):
            assert (after.text, after.entities) == (before.text, before.entities)
            assert all(CODE.fullmatch(r.name) for r in after.guideline.relation_types)
            assert before.gold is not None
            assert after.gold is not None
            told = in_own_words(_record(after.id, after.gold.text, after.gold.text), codes[after.id])
            assert told.gold == told.answer == before.gold.text
            own = after.guideline.relation(after.gold.name)
            published = before.guideline.relation(before.gold.name)
            assert (own and own.definition) == (published and published.definition)


def test_exchanged_labels_leave_no_definition_beside_its_code(fixtures: Path) -> None:
    for rows in _questions(fixtures).values():
        for e in shown_as_codes(rows, 2)[0]:
            other = rotate_names(e.guideline)
            assert {r.name for r in other.relation_types} == {r.name for r in e.guideline.relation_types}
            for r in e.guideline.relation_types:
                moved = other.relation(r.name)
                assert moved is not None
                assert moved.definition != r.definition


def test_an_answer_that_is_no_code_stays_what_it_is() -> None:
    told = in_own_words(_record("q", "R11(e1,e2)", None), {"R11": "USAGE"})
    assert (told.gold, told.answer) == ("USAGE(e1,e2)", None)
    assert in_own_words(_record("q", "Other", "Other"), {"R11": "USAGE"}).answer == "Other"


@pytest.mark.parametrize(
    ("completion", "whose"),
    [
        ("<think>one thing is used</think><answer>R11(e1,e2)</answer>", "shown"),
        ("<think>the cause brings</think><answer>R11(e1,e2)</answer>", "learnt"),
        ("<think>no definition fits</think><answer>Other</answer>", "none"),
        ("<think></think><answer>R11(e1,e2)</answer>", "none"),
        ("one thing is used", "none"),
        (None, "none"),
    ],
)
def test_whose_definition_is_quoted(completion: str | None, whose: str) -> None:
    assert quoted_from(completion, load_from_library("semeval2018"), load_from_library("semeval2010")) == whose


# ----------------------------------------------------------------------------------- the whole line


def test_the_whole_study_runs_goes_on_and_keeps_no_text(fixtures: Path, tmp_path: Path) -> None:
    run, kept = tmp_path / "run", tmp_path / "kept"
    size = SwapSize(limit=3, renderings=2, warm=QUICK.warm, rl=QUICK.rl)
    run.mkdir()
    run_seed(0, str(fixtures), str(run / "seed0"), size)
    names = {f"{model}{control}.{test}" for model in MODELS for control in ("", CONTROL) for test in TESTS}
    records = {file.stem: file for file in (run / "seed0" / "records").iterdir()}
    assert set(records) == names
    rollouts = read_records(run / "seed0" / "rl" / "records" / "rollouts.jsonl")
    assert all(CODE.match(str(r.gold)) or r.gold == "Other" for r in rollouts)
    assert {r.tags["variation"] for r in rollouts} == {f"shuffle_relations=0/{n} rename_labels=0/{n}" for n in (0, 1)}
    lost = records["trained.crossre"]
    before = lost.read_bytes()
    lost.unlink()
    others = {name: file.stat().st_mtime_ns for name, file in records.items() if file != lost}
    run_seed(0, str(fixtures), str(run / "seed0"), size)
    assert lost.read_bytes() == before
    assert {name: records[name].stat().st_mtime_ns for name in others} == others
    said: list[str] = []
    run_swap(fixtures, run, seeds=1, size=size, say=said.append)
    assert said[0].startswith("0 of 1 seeds to run; 3 of semeval2010, 3 of semeval2018, 3 of crossre")
    assert main(["--keep", str(run), str(kept)]) == 0
    asked = questions(fixtures, size)
    for file in (kept / "seed0" / "records").iterdir():
        model, test = file.name.split(".")[:2]
        rows = read_records(file)
        assert [r.id for r in rows] == [e.id for e in asked[test]]
        assert model.endswith(CONTROL) or [r.gold for r in rows] == [str(e.gold) for e in asked[test]]
        assert all(r.completion is None and r.text is None and r.entities is None for r in rows)
        assert all(r.tags["quoted"] in ("shown", "learnt", "none") for r in rows)
    assert "3 questions of crossre" in results(kept)


@pytest.mark.slow
def test_the_command_runs_in_quick_mode(fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--data", str(fixtures), "--output", str(tmp_path / "run"), "--seeds", "2", "--workers", "2", "--quick"]
    assert main(asked) == 0
    assert "seed 1: done" in capsys.readouterr().err
    assert main(["--keep", str(tmp_path / "run"), str(tmp_path / "kept")]) == 0
    assert main(["--results", str(tmp_path / "kept")]) == 0
    assert capsys.readouterr().out.startswith("2 seeds; accuracy of greedy answers")


# ----------------------------------------------------------------------------------- tables


def _record(item: str, gold: str, answer: str | None) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=item,
        domain="d",
        sample=-1,
        gold=gold,
        answer=answer,
        correct=answer == gold,
        well_formed=answer is not None,
        status="ok" if answer == gold else "wrong",
    )


def _kept(folder: Path, seed: int, answers: dict[str, list[str | None]]) -> None:
    """Records of one seed: `answers` by model, the same for every test, to three questions about USAGE and one about
    COMPARE."""
    golds = ["USAGE(e1,e2)", "USAGE(e2,e1)", "USAGE(e1,e2)", "COMPARE(e1,e2)"]
    for name, given in answers.items():
        rows = [_record(f"q{i}", gold, answer) for i, (gold, answer) in enumerate(zip(golds, given, strict=True))]
        for test in TESTS:
            write_jsonl(folder / f"run{seed}" / "records" / f"{name}.{test}.jsonl", rows)
    keep(folder / f"run{seed}", folder / "kept" / f"seed{seed}")


def _row(page: str, label: str) -> list[str]:
    (line,) = [x for x in page.splitlines() if x.startswith(f"| {label} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_tables_are_recomputed_from_ids_answers_and_verdicts(tmp_path: Path) -> None:
    half: list[str | None] = ["USAGE(e1,e2)", "USAGE(e1,e2)", None, "COMPARE(e1,e2)"]
    right: list[str | None] = ["USAGE(e1,e2)", "USAGE(e2,e1)", "USAGE(e1,e2)", "COMPARE(e1,e2)"]
    wrong: list[str | None] = ["COMPARE(e1,e2)", "COMPARE(e1,e2)", "COMPARE(e1,e2)", "USAGE(e1,e2)"]
    for seed in (0, 1):
        _kept(tmp_path, seed, {"start": half, "trained": right, f"start{CONTROL}": wrong, f"trained{CONTROL}": wrong})
    page = results(tmp_path / "kept")
    assert "4 questions of semeval2010, 4 questions of semeval2018, 4 questions of crossre" in page
    # Nineteen, eleven and thirty-one answers.
    assert _row(page, "chance: an even draw of the answers") == ["5.3", "9.1", "3.2"]
    assert _row(page, "chance: the test's most frequent answer") == ["50.0"] * 3
    assert _row(page, MODELS["start"]) == ["50.0 [50.0, 50.0]"] * 3
    # Two of four answers are USAGE(e1,e2), as half of the golds; one of each is COMPARE: (2 * 2 + 1 * 1) / 16.
    assert _row(page, f"{MODELS['start']}: its answers against other questions' gold")[0].startswith("31.2 ")
    assert _row(page, f"{MODELS['start']}: under exchanged labels")[0].startswith("0.0 ")
    assert _row(page, "RL minus its start") == ["+50.0 [+50.0, +50.0]"] * 3
    assert _row(page, f"{MODELS['trained']}: minus that under exchanged labels")[1].startswith("+100.0 ")
    # The labels of these records are SemEval-2018's.
    assert [cell.split()[0] for cell in _row(page, "an answer of the guideline")] == ["0.0", "100.0", "0.0"]


def test_directions_do_not_count_in_the_table_of_relations(tmp_path: Path) -> None:
    answers: list[str | None] = ["USAGE(e2,e1)", "USAGE(e2,e1)", None, "R68(e1,e2)"]
    _kept(tmp_path, 0, dict.fromkeys(("start", "trained"), answers))
    page = results(tmp_path / "kept")
    assert _row(page, MODELS["trained"]) == ["25.0"] * 3
    assert _row(page, "relation right, in either direction") == ["50.0"] * 3
    assert _row(page, "an answer of the guideline")[1] == "50.0"
    # Without records of the control there is nothing to say.
    assert _row(page, f"{MODELS['trained']}: minus that under exchanged labels") == ["–"] * 3


# ----------------------------------------------------------------------------------- what is refused


def test_a_folder_of_other_runs_is_refused(fixtures: Path, tmp_path: Path) -> None:
    from bythebook.studies.r1_re import swap

    tests = questions(fixtures, QUICK)
    swap._claim(tmp_path / "seed0", QUICK, 0, tests)
    swap._claim(tmp_path / "seed0", QUICK, 0, tests)
    with pytest.raises(InputError, match="another size or seed, or on other data"):
        run_swap(fixtures, tmp_path, seeds=1, size=SwapSize())
    (tmp_path / "seed0" / "size.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="can't be read"):
        run_swap(fixtures, tmp_path, seeds=1, size=QUICK)


def test_mistakes_get_one_line(fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--output", str(tmp_path / "run")]) == 1
    assert "semeval2010_task8" in capsys.readouterr().err
    assert main(["--results", str(tmp_path)]) == 1
    assert "no kept records of this study" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([])
    assert "one of --data, --keep and --results" in capsys.readouterr().err
