"""The whole method on toy domains: seed runs, fits, a choice, and its test with seeds that no fit has seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bythebook.readers.mixture_runs import read_mixture_runs
from bythebook.studies.mixture.choose import choose
from bythebook.studies.mixture.toy import WORLD, run_toy, seed_mixtures


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs are kept."""
    return tmp_path_factory.mktemp("toy") / "runs.jsonl"


@pytest.fixture(scope="module")
def found(path: Path) -> dict[str, Any]:
    """What is found at the end."""
    return run_toy(path)


def _rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in found["mixtures"]}


def test_five_domains_have_eleven_seed_mixtures() -> None:
    mixtures = seed_mixtures(tuple("abcde"))
    assert len(mixtures) == 11
    assert mixtures["without c"] == dict.fromkeys("abde", 0.25)


def test_the_choice_beats_the_uniform_mixture_and_the_best_seed_mixture_on_new_seeds(found: dict[str, Any]) -> None:
    row = _rows(found)["scheffe, gaussian"]
    assert row["against_uniform"]["seeds"] == row["against_best_seed"]["seeds"] == row["runs"] == 5
    assert row["against_uniform"]["low"] > 0.05
    assert row["against_best_seed"]["difference"] > 0
    # The target is made of .5, .31 and .19 of the first three, and the last one harms.
    assert row["weights"]["a"] > row["weights"]["b"] > row["weights"]["c"] > row["weights"]["e"]
    assert row["weights"]["d"] + row["weights"]["e"] < 0.1


def test_the_surrogate_was_worth_something(found: dict[str, Any]) -> None:
    row = next(row for row in found["surrogates"] if row["name"] == "scheffe")
    assert row["error"] < row["error_of_mean"]
    assert row["rank"] == row["identifiable"] == 15  # with the heuristics' and the chosen runs


def test_the_best_seed_run_is_the_best_of_the_seed_mixtures_only(found: dict[str, Any]) -> None:
    assert found["best_seed"]["name"] == "without e"
    assert found["mixtures"][0]["name"] != "without e"


def test_every_method_has_its_row(found: dict[str, Any]) -> None:
    assert [row["method"] for row in found["methods"]] == ["seed runs", "heuristic", "surrogate"]
    assert found["methods"][0]["mixtures"] == 11
    assert not any("fewer than three seeds" in note for note in found["notes"])


def test_the_kept_runs_say_the_same_again(found: dict[str, Any], path: Path) -> None:
    assert choose(path) == found
    assert len(read_mixture_runs(path)) == 11 * 3 + 3 * (3 + 5) + 2 * 5 + 2 * 5


def test_where_all_domains_are_alike_nothing_is_gained(tmp_path: Path) -> None:
    # A surrogate of 14 mixtures then even loses to the uniform one: a choice is a proposal.
    world = replace(WORLD, target=dict.fromkeys("abcde", 0.2))
    rows = _rows(run_toy(tmp_path / "runs.jsonl", world))
    for name in ("scheffe, gaussian", "coli", "norm"):
        assert rows[name]["against_uniform"]["low"] < 0.02


def test_a_mixture_whose_domain_is_exhausted_ends_early_and_has_a_score() -> None:
    short, shorter = replace(WORLD, size=60), replace(WORLD, size=60, steps=5)
    assert short.score({"a": 1.0}, 0) == shorter.score({"a": 1.0}, 0)
    assert short.score({"a": 0.5, "b": 0.5}, 0) != shorter.score({"a": 0.5, "b": 0.5}, 0)


def test_a_policy_learns_its_domain_and_the_seed_alone_decides_how() -> None:
    world = replace(WORLD, target={"a": 1.0, "b": 0.0})
    assert world.score({"a": 1.0}, 1) == world.score({"a": 1.0}, 1) != world.score({"a": 1.0}, 2)
    assert world.score({"a": 1.0}, 1) > 0.6 > 0.4 > world.score({"b": 1.0}, 1)
