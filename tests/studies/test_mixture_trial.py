"""MoDoMoDo on our own tasks: which mixtures are run, how runs are told apart, and what the tables say of kept ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.readers.mixture_runs import read_mixture_runs
from bythebook.records import write_jsonl
from bythebook.studies.mixture import experiments, results
from bythebook.studies.mixture.arms import (
    BEST,
    CLAIMS,
    DOMAINS,
    OUT,
    QUICK,
    START,
    TESTS,
    Mixed,
    Size,
    first_mixtures,
)
from bythebook.studies.mixture.choose import choose
from bythebook.studies.mixture.experiments import SETTINGS, expected_seconds, run_experiments, second_mixtures
from bythebook.studies.mixture.work import (
    CONFIRM,
    MIXTURES,
    SEARCH,
    is_done,
    questions_seed,
    recipe_of,
    row_file,
    run_mixture,
)
from bythebook.tasks import task_named

USE = {"labels": 0.6, "choice": 0.4, "phrases": -0.2}
"""How good a made-up model becomes by a share of each domain."""


def score(weights: Mapping[str, float], seed: int) -> float:
    gains = sum(USE[name] * share**0.5 for name, share in weights.items())
    return 0.2 + 0.5 * gains + 0.001 * (seed % 7)


def row(name: str, mixed: Mixed, seed: int) -> dict[str, Any]:
    scores = dict.fromkeys(TESTS, score(mixed.weights, seed))
    about = {"method": mixed.method} if mixed.method else {}
    items = dict.fromkeys(TESTS, 10)
    return {"name": name, "weights": dict(mixed.weights), "scores": scores, "items": items, "seed": seed, **about}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is chosen from the first round of a made-up world, three seeds."""
    path = tmp_path_factory.mktemp("search") / "search.jsonl"
    write_jsonl(path, first_rows())
    return choose(path, SETTINGS)


def first_rows() -> list[dict[str, Any]]:
    return [row(name, mixed, seed) for seed in range(3) for name, mixed in first_mixtures(Size()).items()]


@pytest.fixture
def kept(tmp_path: Path, found: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rows of both rounds, the second with five seeds. A search of a million draws takes seconds: it is made once."""
    monkeypatch.setattr(results, "choose", lambda *_: deepcopy(found))
    write_jsonl(tmp_path / "search.jsonl", first_rows())
    second = second_mixtures(found)
    later = [row(name, mixed, 1000 + seed) for seed in range(5) for name, mixed in second.items()]
    write_jsonl(tmp_path / "confirm.jsonl", later)
    of = {d: {"share": 1 / 3, "reward_first": 1.0, "reward_last": 2.0, "accuracy_first": 0.25} for d in DOMAINS}
    for round_ in ("search", "confirm"):
        write_jsonl(tmp_path / f"{round_}_training.jsonl", [{"name": "uniform", "seed": 0, "of": of}])
    return tmp_path


# ------------------------------------------------------------------------------------------------------- what is run


def test_the_first_round_has_the_papers_seed_mixtures_and_a_few_more() -> None:
    found = first_mixtures(Size())
    assert len(found) == 1 + 7 + 3
    assert found[START].weights == {}
    assert all(abs(sum(m.weights.values()) - 1) < 1e-9 for name, m in found.items() if name != START)
    assert all(share >= 0 for m in found.values() for share in m.weights.values())
    assert found == first_mixtures(Size())


def test_the_second_round_has_every_choice_beside_uniform_and_best_seed_run(found: dict[str, Any]) -> None:
    second = second_mixtures(found)
    assert list(second)[:2] == [START, "uniform"]
    assert found["best_seed"]["name"] in second
    assert {m.method for m in second.values()} == {None, "heuristic", "surrogate"}
    for name in ("quadratic, gaussian", "scheffe, gaussian", "coli", "norm"):
        assert sum(second[name].weights.values()) == pytest.approx(1)


def test_a_choice_that_another_one_has_made_is_run_once(found: dict[str, Any]) -> None:
    found = deepcopy(found)
    uniform = found["uniform"]["weights"]
    for choice in found["choices"]:
        choice["weights"] = {**uniform, "labels": uniform["labels"] + 0.004}
    for heuristic in found["heuristics"]:
        heuristic["weights"] = None
    assert set(second_mixtures(found)) == {START, "uniform", found["best_seed"]["name"]}


def test_seeds_change_the_examples_and_mixtures_do_not() -> None:
    one, other = (Mixed({"labels": share, "choice": 1 - share}) for share in (0.3, 0.7))
    first, second, later = recipe_of(one, 1, QUICK, "x"), recipe_of(other, 1, QUICK, "x"), recipe_of(one, 2, QUICK, "x")
    assert first.data.options == second.data.options != later.data.options
    assert first.data.also == second.data.also != later.data.also
    assert first.data.mixture == {"labels": 0.3, "choice": 0.7}
    used = [of.data.options["seed"] for of in (first, later)]
    used += [more.options["seed"] for of in (first, later) for more in of.data.also]
    assert len(set(used)) == len(used)


def test_no_run_exhausts_a_domain() -> None:
    recipe = recipe_of(Mixed({"labels": 1.0}), 0, Size(), "x")
    assert recipe.rollout is not None
    sizes = [recipe.data.options["train"], *(more.options["train"] for more in recipe.data.also)]
    assert min(sizes) >= recipe.training.max_steps * recipe.rollout.prompts_per_step


def test_every_test_can_be_drawn() -> None:
    for test in TESTS.values():
        assert len(task_named(test.task).read(None, seed=7001, **test.options, **{test.split: 3})[test.split]) == 3


def test_no_test_asks_the_sentences_of_another_one() -> None:
    # The prompts of labels and phrases are alike: on one set of sentences they would be one test.
    seeds = [questions_seed(round_, test) for round_ in (SEARCH, CONFIRM) for test in TESTS]
    assert len(set(seeds)) == len(seeds)
    labels, phrases = (TESTS[name] for name in ("labels", "phrases"))
    texts = [
        {e.text for e in task_named("world").read(None, seed=questions_seed(SEARCH, name), k=4, id=16)["id"]}
        for name in ("labels", "phrases")
    ]
    assert labels.options == phrases.options
    assert not texts[0] & texts[1]


def test_the_start_is_expected_to_take_less_than_a_mixture() -> None:
    assert expected_seconds(START, Size()) < expected_seconds("uniform", Size())


def test_a_round_passes_its_mixtures_on_and_the_second_one_is_chosen_from_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: dict[str, Any]
) -> None:
    rounds: list[tuple[str, list[str], int]] = []

    def run_seeds(output: Path, names: list[str], work: Any, *, seeds: int, **more: Any) -> None:
        rounds.append((output.name, names, seeds))
        if output.name == "start":
            return
        of = json.loads(more[MIXTURES])
        assert list(of) == names
        for seed in range(seeds):
            folder = output / f"seed{seed}"
            (folder / "runs").mkdir(parents=True)
            (folder / "size.json").write_text(json.dumps({MIXTURES: more[MIXTURES]}), encoding="utf-8")
            for name in names:
                own = seed + (1000 if output.name == "confirm" else 0)
                made = {"row": row(name, Mixed(*of[name]), own), "training": {}}
                row_file(folder, name).write_text(json.dumps(made), encoding="utf-8")
                assert more["done"](folder, name)

    def chosen(path: Path, _: Any) -> dict[str, Any]:
        assert len(read_mixture_runs(path)) == 2 * len(first_mixtures(Size()))
        return found

    monkeypatch.setattr(experiments, "run_seeds", run_seeds)
    monkeypatch.setattr(experiments, "choose", chosen)
    run_experiments(tmp_path, seeds=2, size=replace(Size(), more_seeds=1))
    assert [(name, seeds) for name, _, seeds in rounds] == [("start", 1), ("search", 2), ("confirm", 3)]
    assert rounds[2][1] == list(second_mixtures(found))


# -------------------------------------------------------------------------------------------------- what is told of it


def test_the_best_seed_run_is_printed_beside_the_surrogates_pick(kept: Path, found: dict[str, Any]) -> None:
    page, best = results.results(kept), found["best_seed"]["name"]
    second = page.partition("## Second round")[2].partition("###")[0]
    assert f"| **{BEST}**: {best} |" in second
    assert all(f"| {name} |" in second for name in ("uniform", "scheffe, gaussian", "quadratic, gaussian", "norm"))
    assert f"**best seed run**: {best}" in page.partition("## Second round")[0]


def test_claims_are_judged_on_the_seeds_of_the_second_round_alone(kept: Path) -> None:
    found = {claim["claim"]: claim for claim in results.verdicts(kept)}
    assert len(found) == len(CLAIMS)
    rises = found["RL on the uniform mixture raises accuracy"]
    expected = score(dict.fromkeys(DOMAINS, 1 / 3), 0) - score({}, 0)
    assert rises["differences"][0]["difference"] == pytest.approx(expected)
    assert rises["verdict"] == "confirmed"
    # Phrases harm in this world, and all methods see it.
    assert found["The Scheffé form's choice is better than the uniform mixture"]["verdict"] == "confirmed"
    assert found["Coli's weights are better than the uniform mixture"]["verdict"] == "confirmed"


def test_a_claim_is_not_seen_where_the_interval_reaches_zero_and_untested_without_runs(kept: Path) -> None:
    rows = [json.loads(line) for line in (kept / "confirm.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in rows:
        if line["name"] == "norm":
            line["scores"] = dict.fromkeys(TESTS, 0.9 if line["seed"] % 2 else 0.1)
    write_jsonl(kept / "confirm.jsonl", [line for line in rows if line["name"] != "coli"])
    found = {claim["claim"]: claim for claim in results.verdicts(kept)}
    assert found["Norm's weights are better than the uniform mixture"]["verdict"] == "not seen here"
    missing = found["Coli's weights are better than the uniform mixture"]
    assert missing["verdict"] == "cannot be tested at this size"
    assert missing["differences"][0]["difference"] is None


def test_one_seed_tests_nothing(kept: Path) -> None:
    rows = [json.loads(line) for line in (kept / "confirm.jsonl").read_text(encoding="utf-8").splitlines()]
    write_jsonl(kept / "confirm.jsonl", [line for line in rows if line["seed"] == 1000])
    assert {claim["verdict"] for claim in results.verdicts(kept)} == {"cannot be tested at this size"}


def test_what_training_showed_of_each_domain_is_a_table(kept: Path) -> None:
    table = results.results(kept).partition("### Training on the uniform mixture")[2]
    assert "| labels | 33.3 | 1.00 | 2.00 | 25.0 | – |" in table


def test_the_score_is_that_of_the_tests_out_of_domain(kept: Path) -> None:
    assert OUT == ("unseen labels", "ten options", "unseen phrases")
    rows = [json.loads(line) for line in (kept / "confirm.jsonl").read_text(encoding="utf-8").splitlines()]
    before = results.verdicts(kept)
    for line in rows:
        line["scores"] |= dict.fromkeys((name for name in TESTS if name not in OUT), 0.0)
    write_jsonl(kept / "confirm.jsonl", rows)
    assert results.verdicts(kept) == before


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no kept runs"):
        results.results(tmp_path)


# ------------------------------------------------------------------------------------------------------------ one run


@pytest.mark.slow
def test_a_mixture_is_trained_on_tested_and_kept_once(tmp_path: Path) -> None:
    size = replace(QUICK, model="embedded", questions=2)
    folder = tmp_path / "confirm" / "seed0"
    mixed = {"mine": Mixed({"labels": 0.5, "choice": 0.0, "phrases": 0.5}, "surrogate"), START: Mixed({})}
    folder.mkdir(parents=True)
    said = {MIXTURES: json.dumps({name: list(of) for name, of in mixed.items()})}
    (folder / "size.json").write_text(json.dumps(said), encoding="utf-8")
    for name in mixed:
        assert not is_done(folder, name)
        assert run_mixture(name, str(folder), 0, size) == name
        assert is_done(folder, name)
    found = json.loads(row_file(folder, "mine").read_text(encoding="utf-8"))
    assert (found["row"]["seed"], found["row"]["method"]) == (1000, "surrogate")
    assert set(found["row"]["scores"]) == set(TESTS)
    assert set(found["training"]) <= {"labels", "phrases"}
    assert sum(of["share"] for of in found["training"].values()) == pytest.approx(1)
    assert json.loads(row_file(folder, START).read_text(encoding="utf-8"))["training"] == {}
