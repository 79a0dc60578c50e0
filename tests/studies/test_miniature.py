"""Miniatures: arms and claims as data, verdicts from intervals, tables from kept records."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from bythebook.errors import InputError
from bythebook.hardware import has_simulator
from bythebook.recipe import Recipe, load_recipe, recipe_names
from bythebook.records import Record, read_jsonl, write_jsonl
from bythebook.stats import Difference
from bythebook.studies.miniature.arms import QUICK, SPLITS, Arm, Claim, Size
from bythebook.studies.miniature.experiments import expected_seconds
from bythebook.studies.miniature.figures import Comparison, difference, figure, found_of, verdict
from bythebook.studies.miniature.results import keep_experiments, results, verdicts
from bythebook.studies.miniature.systems import MINIATURES
from bythebook.studies.miniature.work import is_done, recipe_of, run_arm, sentences_of
from bythebook.studies.overview import ROOMS
from bythebook.studies.reproduce import reproduce

ARMS = [(m.system, arm) for m in MINIATURES.values() for arm in m.arms]


@pytest.mark.parametrize("system", MINIATURES)
def test_claims_name_arms_and_tests_that_there_are(system: str) -> None:
    miniature = MINIATURES[system]
    names = [arm.name for arm in miniature.arms]
    assert len(set(names)) == len(names)
    for claim in miniature.claims:
        assert {claim.better, *claim.than} <= set(names)
        assert bool(claim.than) != (claim.above is not None)
        assert claim.better not in claim.than
        assert claim.split in SPLITS


def _few(arm: Arm) -> list[str]:
    """Ids of training sentences that an arm of so many ranks might get."""
    return [f"world-train-3-{rank}" for rank in arm.ranks]


@pytest.mark.parametrize("system", MINIATURES)
def test_an_arm_comes_after_one_whose_rollouts_there_are(system: str) -> None:
    seen: dict[str, Arm] = {}
    for arm in MINIATURES[system].arms:
        assert bool(arm.ranks) <= (arm.after is not None)
        assert all(seen[before].recipe is not None for before in (arm.after, arm.begins_with) if before)
        seen[arm.name] = arm


def _recipe(system: str, arm: Arm, size: Size) -> Recipe | None:
    begin = Path("somewhere") if arm.begins_with else None
    return recipe_of(arm, 3, size, _few(arm), begin=begin, questions=MINIATURES[system].questions)


@pytest.mark.parametrize(("system", "arm"), ARMS, ids=[f"{s}-{a.name}" for s, a in ARMS])
def test_every_arm_has_a_recipe_of_its_own(system: str, arm: Arm) -> None:
    recipe = _recipe(system, arm, Size(steps=5, most_steps=5))
    assert (recipe is None) == (arm.recipe is None)
    if recipe is not None:
        assert arm.recipe in recipe_names()
        assert recipe.training.max_steps == 5 * arm.updates
        assert recipe.objective is None or recipe.objective.num_iterations == arm.updates
        assert (recipe.seed, recipe.data.options["seed"]) == (3, 3 + arm.data_seed)
        assert (recipe.warm_start is None) or not arm.begins_with
        scratch = load_recipe(str(arm.recipe)).model.path == "scratch"
        assert recipe.model.path == ("somewhere" if arm.begins_with else "scratch" if scratch else "embedded")
        tests = MINIATURES[system].questions.sizes(Size())
        assert recipe.evaluation.choose_on or not any(recipe.data.options.get(test) for test in tests)
        assert recipe.data.task == MINIATURES[system].questions.task
        assert list(recipe.data.only) == _few(arm)
        # What a model is chosen on is not what it is tested on.
        assert not recipe.evaluation.choose_on or MINIATURES[system].test_seed
    assert expected_seconds(arm, Size()) > expected_seconds(arm, QUICK)


@pytest.mark.parametrize("system", MINIATURES)
def test_no_two_arms_are_alike(system: str) -> None:
    recipes = [r.model_dump() for a in MINIATURES[system].arms if (r := _recipe(system, a, Size()))]
    assert all(recipes.count(r) == 1 for r in recipes)


# ------------------------------------------------------------------------------------------------------ verdicts

_UP, _NEAR, _WIDE = Difference(0.1, 0.05, 0.15), Difference(0.0, -0.01, 0.01), Difference(0.0, -0.05, 0.05)


@pytest.mark.parametrize(
    ("found", "margin", "expected"),
    [
        ([_UP], None, "confirmed"),
        ([_UP, _NEAR], None, "not seen here"),
        ([None], None, "cannot be tested at this size"),
        ([_NEAR], 0.02, "confirmed"),
        ([_UP], 0.02, "not seen here"),
        ([_WIDE], 0.02, "cannot be tested at this size"),
        ([_NEAR, _UP], 0.02, "not seen here"),
        ([], None, "cannot be tested at this size"),
    ],
)
def test_a_verdict_follows_from_intervals(found: list[Difference | None], margin: float | None, expected: str) -> None:
    comparisons = [Comparison("a", "b", (0.5, 0.4), d) for d in found]
    assert verdict(comparisons, margin, seeds=3) == expected
    assert verdict(comparisons, margin, seeds=1) == "cannot be tested at this size"


def test_above_the_ceiling_nothing_is_better() -> None:
    assert verdict([Comparison("a", "b", (0.99, 0.98), _UP)], None, 3) == "cannot be tested at this size"
    assert verdict([Comparison("a", "b", (0.99, 0.5), _UP)], None, 3) == "confirmed"


# ------------------------------------------------------------------------------------------------------- figures


def _record(name: str, sample: int, correct: bool, guideline: str, well_formed: bool = True) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=name,
        domain="d",
        gold="g",
        answer="a",
        correct=correct,
        well_formed=well_formed,
        status="ok",
        value=1.0,
        completion="c",
        finish_reason="stop",
        tokens=3,
        guideline=guideline,
        sample=sample,
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two seeds of two arms: in each, `a` is right in three of four samples of two sentences, `b` in one."""
    for seed in range(2):
        folder = tmp_path / "run" / f"seed{seed}"
        for arm, right in (("a", 3), ("b", 1)):
            for split in SPLITS:
                rows = [_record(f"s{i}", n, n < right, f"g{i}") for i in range(2) for n in range(-1, 4)]
                write_jsonl(folder / "records" / f"{arm}.{split}.jsonl", rows)
        (folder / "size.json").write_text(json.dumps({"system": "archer"}), encoding="utf-8")
        write_jsonl(folder / "arms" / "a" / "metrics.jsonl", [{"step": 1, "loss": 0.5, "accuracy": 0.25, "kl": 1.0}])
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    return tmp_path / "kept"


def test_figures_by_hand(kept: Path) -> None:
    seed = kept / "seed0"
    assert figure(seed, "a", "ood", "avg") == 0.75
    assert figure(seed, "b", "ood", "avg") == 0.25
    assert figure(seed, "b", "ood", "pass") == 1.0
    assert figure(seed, "a", "ood", "greedy") == 1.0
    assert figure(seed, "a", "ood", "format") == 1.0
    assert figure(seed, "c", "ood", "avg") is None
    seeds = sorted(kept.glob("seed*"))
    assert difference(seeds, "a", "b", "ood", "avg") == Difference(0.5, 0.5, 0.5)
    assert difference(seeds, "a", "c", "ood", "avg") is None


def test_metrics_are_kept_as_far_as_tables_show_them(kept: Path) -> None:
    rows = [row for _, row in read_jsonl(kept / "seed1" / "metrics" / "a.jsonl")]
    assert rows == [{"step": 1, "accuracy": 0.25}]


def test_a_claim_is_held_against_the_records(kept: Path) -> None:
    seeds = sorted(kept.glob("seed*"))
    assert found_of(Claim("a beats b", "a", ("b",)), seeds).verdict == "confirmed"
    assert found_of(Claim("b beats a", "b", ("a",)), seeds).verdict == "not seen here"
    assert found_of(Claim("a and b are alike", "a", ("b",), margin=0.02), seeds).verdict == "not seen here"
    assert found_of(Claim("a beats c", "a", ("c",)), seeds).verdict == "cannot be tested at this size"
    above = found_of(Claim("a is above a half", "a", (), above=0.5), seeds)
    assert above.verdict == "confirmed"
    assert above.comparisons == (Comparison("a", "50 %", (0.75, 0.5), Difference(0.25, 0.25, 0.25)),)
    assert found_of(Claim("b is above a half", "b", (), above=0.5), seeds).verdict == "not seen here"


def test_the_last_value_stands_beside_the_smoothed_one(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(2):
        rows = [{"step": step, "accuracy": 0.1 * step} for step in range(11)]
        write_jsonl(kept / f"seed{seed}" / "metrics" / "archer.jsonl", rows)
    assert "the smoothed one" not in results(kept)
    monkeypatch.setitem(MINIATURES, "archer", replace(MINIATURES["archer"], smoothed=True))
    row = "| Archer, as released | 100.0 [100.0, 100.0] | 55.0 [55.0, 55.0] |"
    assert row in results(kept)


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no kept records"):
        results(tmp_path)


# --------------------------------------------------------------------------------------------------- a whole run


def test_a_miniature_runs_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    arm = MINIATURES["archer"].arms[0]
    run_arm("archer", arm.name, str(tmp_path / "seed0"), 0, QUICK)
    assert is_done(tmp_path / "seed0", arm.name)
    assert not is_done(tmp_path / "seed0", "archer")


def test_the_sentences_of_a_rank_are_those_of_the_run_before(tmp_path: Path) -> None:
    arm, run = MINIATURES["one_shot"].arm("other"), tmp_path / "seed0"
    assert sentences_of(MINIATURES["one_shot"].arms[0], run) == []
    right = {"never": "....", "always": "++++", "late": "..++", "last": "...+"}
    rows = [
        _record(name, 0, marks[step] == "+", "g").model_copy(update={"step": step})
        for step in range(4)
        for name, marks in right.items()
    ]
    write_jsonl(run / "arms" / "many" / "records" / "rollouts.jsonl", rows)
    names = [[row.id for row in sentences_of(replace(arm, ranks=ranks), run)] for ranks in ((1, 2), (4,), (13,))]
    assert names == [["late", "last"], ["always"], ["always"]]  # the last one for a rank beyond


@pytest.mark.slow
@pytest.mark.parametrize("system", MINIATURES)
def test_a_whole_miniature(system: str, tmp_path: Path) -> None:
    if system == "codev_r1" and not has_simulator():
        pytest.skip("iverilog is not installed (Debian: apt install iverilog)")
    judged = import_module(f"bythebook.studies.{ROOMS[system]}.results").verdicts
    said: list[str] = []
    found = reproduce(system, tmp_path / "run", seeds=2, quick=True, say=said.append)
    names = [arm.name for arm in MINIATURES[system].arms]
    assert len(said) == 1 + 2 * len(names)
    assert all(arm.label in found["tables"] for arm in MINIATURES[system].arms)
    assert len(found["claims"]) >= len(MINIATURES[system].claims)
    assert found["claims"] == judged(tmp_path / "run" / "kept")
    assert found["claims"][: len(MINIATURES[system].claims)] == verdicts(tmp_path / "run" / "kept")
    for arm in MINIATURES[system].arms:
        file = tmp_path / "run" / "kept" / "seed0" / "metrics" / f"{arm.name}.jsonl"
        assert file.exists() == (arm.recipe is not None)
        if arm.recipe is not None:
            kept = [row["step"] for _, row in read_jsonl(file)]
            # Fine-tuning logs every so many steps.
            whole = list(range(1, QUICK.steps * arm.updates + 1))
            assert kept == whole or (set(kept) < set(whole) and load_recipe(arm.recipe).method == "sft")
    again: list[str] = []
    reproduce(system, tmp_path / "run", seeds=2, quick=True, say=again.append)
    assert again == [f"0 of {2 * len(names)} arms to run, 1 at a time: about 0 s on 1 idle cores"]
