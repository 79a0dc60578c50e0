"""The study of mixtures: proposals beside the best seed run, what they are worth, and what was run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bythebook.errors import InputError
from bythebook.mixtures import Mixture, is_even
from bythebook.studies.mixture.choose import Settings, choose, main
from bythebook.studies.mixture.measured import against
from bythebook.studies.mixture.show import as_markdown


@pytest.fixture(scope="module")
def seeds(fixtures: Path) -> dict[str, Any]:
    """What is found in the paper's seed runs."""
    return choose(fixtures / "mixture_runs" / "modomodo_seeds.jsonl")


def test_the_golden_weights_come_out_of_the_file(seeds: dict[str, Any]) -> None:
    found = {row["name"]: list(row["weights"].values()) for row in seeds["heuristics"]}
    assert seeds["domains"] == ["COCO", "LISA", "GeoQAV", "SAT", "ScienceQA"]
    assert found == {
        "norm": pytest.approx([0.1255, 0.2327, 0.2014, 0.2510, 0.1893], abs=5e-5),
        "coli": pytest.approx([0.1839, 0.1833, 0.2161, 0.2413, 0.1754], abs=5e-5),
        "alpha, in": pytest.approx([0.2626, 0.2810, 0.0, 0.0136, 0.4428], abs=5e-5),
        "alpha, out": pytest.approx([0.0685, 0.0642, 0.3308, 0.5364, 0.0], abs=5e-5),
        "alpha, balanced": pytest.approx([0.1748, 0.1829, 0.1496, 0.2500, 0.2426], abs=5e-5),
    }


def test_the_best_seed_run_stands_beside_every_choice(seeds: dict[str, Any]) -> None:
    assert (seeds["best_seed"]["name"], seeds["best_seed"]["mean"]) == ("without COCO", 0.5146)
    # Above the headline (.5133, a heuristic's) and the best model-based run (.5104).
    assert seeds["best_seed"]["mean"] > 0.5133 > 0.5104
    table = as_markdown(seeds).split("###")[1]
    assert "**best seed run**: without COCO | 0.0000 | 0.2500" in table
    assert all(f"| {name} |" in table for name in ("norm", "coli", "quadratic, gaussian", "scheffe, gaussian"))


def test_what_is_known_of_the_seed_runs_comes_out(seeds: dict[str, Any]) -> None:
    assert seeds["methods"] == [
        {
            "method": "seed runs",
            "mixtures": 11,
            "best": 0.5146,
            "best_name": "without COCO",
            "median": pytest.approx(0.475, abs=5e-4),
            "sd": pytest.approx(0.028, abs=5e-4),
            "least": 0.4219,
        }
    ]
    assert (seeds["base"], seeds["uniform"]["mean"]) == (0.3059, 0.4609)


def test_from_the_seed_runs_alone_no_surrogate_beats_the_mean_and_it_says_so(seeds: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in seeds["surrogates"]}
    assert (rows["quadratic"]["columns"], rows["scheffe"]["columns"]) == (31, 15)
    assert rows["scheffe"]["rank"] == 10 < rows["scheffe"]["identifiable"] == 15
    for row in rows.values():
        assert row["error"] > row["error_of_mean"] == pytest.approx(0.0294, abs=5e-5)
        assert any(n.startswith(f"{row['name']}: predicts a run") for n in seeds["notes"])
    assert any("11 of 11 mixtures have fewer than three seeds" in note for note in seeds["notes"])


def test_methods_are_told_apart(tmp_path: Path, fixtures: Path) -> None:
    rows = (fixtures / "mixture_runs" / "modomodo_seeds.jsonl").read_text(encoding="utf-8")
    norm = {"COCO": 0.1255, "LISA": 0.2327, "GeoQAV": 0.2014, "SAT": 0.2510, "ScienceQA": 0.1893}
    run = {"name": "norm", "weights": norm, "scores": {"In": 0.55, "Out": 0.5133}, "method": "heuristic"}
    path = tmp_path / "runs.jsonl"
    path.write_text(rows + json.dumps(run) + "\n", encoding="utf-8")
    found = choose(path)
    assert {row["method"]: row["best"] for row in found["methods"]} == {"seed runs": 0.5146, "heuristic": 0.5133}
    # Heuristics stay those of the seed runs, and Norm was run now.
    norm_row = next(row for row in found["heuristics"] if row["name"] == "norm")
    assert (norm_row["weights"]["SAT"], norm_row["measured"]) == (pytest.approx(0.2510, abs=5e-5), 0.5133)


def test_a_mixture_that_two_methods_led_to_counts_for_both(tmp_path: Path) -> None:
    rows = [
        {"name": name, "weights": weights, "scores": {"Out": score}, "seed": seed, **more}
        for name, weights, score, seed, more in (
            ("x alone", {"x": 1.0}, 0.4, 1, {}),
            ("y alone", {"y": 1.0}, 0.6, 1, {}),
            ("chosen", {"x": 1.0}, 0.2, 2, {"method": "surrogate"}),
        )
    ]
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = choose(path)
    assert {row["method"]: (row["mixtures"], row["best_name"]) for row in found["methods"]} == {
        "seed runs": (2, "y alone"),
        "surrogate": (1, "x alone"),
    }
    assert found["mixtures"][1]["method"] == "seed runs, surrogate"
    assert found["mixtures"][1]["mean"] == pytest.approx(0.3)


def test_scores_are_weighted_by_items_and_seeds_are_pooled(fixtures: Path) -> None:
    found = choose(fixtures / "mixture_runs" / "ten.jsonl", Settings(target=("far", "farther"), inside=("near",)))
    rows = {row["name"]: row for row in found["mixtures"]}
    # (100 · .43 + 300 · .40) / 400 and (100 · .41 + 300 · .42) / 400
    assert rows["uniform"]["mean"] == pytest.approx((0.4075 + 0.4175) / 2)
    assert rows["uniform"]["sd"] == pytest.approx(0.01 / np.sqrt(2))
    assert rows["uniform"]["runs"] == 2
    assert rows["law alone"]["sd"] is None
    assert found["base"] == pytest.approx(0.275)
    # Seeds 1 and 2: .44 − .4075 and .445 − .4175.
    against = rows["more law"]["against_uniform"]
    assert (against["difference"], against["seeds"]) == (pytest.approx(0.03), 2)
    assert against["low"] == pytest.approx(0.03 - 12.7062 * 0.0025, abs=1e-4)
    assert rows["law alone"]["against_uniform"] is None
    assert rows["more law"]["method"] == "by hand"
    assert "no run drew from poems: nothing is said of it" in found["notes"]
    assert "poems" not in found["domains"]


def test_runs_without_a_seed_make_no_pairs() -> None:
    uniform = Mixture("uniform", (0.5, 0.5), (1, 2, None), (0.5, 0.6, 0.1))
    other = Mixture("other", (0.2, 0.8), (2, None, 1), (0.65, 0.9, 0.53))
    found = against(other, uniform)
    assert found is not None
    assert (found["seeds"], found["difference"]) == (2, pytest.approx(0.04))
    assert against(other, uniform._replace(seeds=(3, 4, None))) is None
    assert against(uniform, uniform) is None
    assert against(other, None) is None


def test_shares_are_even_as_far_as_they_are_rounded() -> None:
    assert is_even([0.33, 0.33, 0.34])
    assert is_even([0.0, 1.0])
    assert not is_even([0.3, 0.33, 0.37])
    assert not is_even([0.0, 0.0])


def test_tests_are_chosen_by_name(fixtures: Path) -> None:
    path = fixtures / "mixture_runs" / "ten.jsonl"
    assert choose(path)["target"] == ["near", "far", "farther"]
    assert choose(path, Settings(inside=("near",)))["target"] == ["far", "farther"]
    with pytest.raises(InputError, match="no test 'nowhere'") as caught:
        choose(path, Settings(target=("nowhere",)))
    assert "near, far, farther" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("weights", "said"),
    [([{"x": 1.0}, {"x": 1.0}], "two domains"), ([{}, {"x": 0.5, "y": 0.5}], "fewer than two mixtures")],
)
def test_too_little_is_named_with_its_file(tmp_path: Path, weights: list[dict[str, float]], said: str) -> None:
    path = _file(tmp_path, [(f"m{i}", w, i, 0.1) for i, w in enumerate(weights)])
    with pytest.raises(InputError, match=said) as caught:
        choose(path)
    assert caught.value.file == path


def test_few_runs_give_reasons_in_place_of_weights(tmp_path: Path) -> None:
    found = choose(_file(tmp_path, [("a", {"x": 1.0}, 1, 0.5), ("b", {"x": 0.5, "y": 0.5}, 1, 0.6)]))
    assert found["choices"] == []
    assert all(row["why"] for row in found["surrogates"])
    assert "no run leaves out x alone" in as_markdown(found)


def test_both_searches_stand_side_by_side(fixtures: Path) -> None:
    pytest.importorskip("cma", reason="the extra 'mixtures' is not installed")
    path = fixtures / "mixture_runs" / "ten.jsonl"
    found = choose(path, Settings(optimizers=("gaussian", "cma"), top=2))
    pairs = [(row["surrogate"], row["optimizer"]) for row in found["choices"]]
    assert set(pairs) == {(s, o) for s in ("quadratic", "scheffe") for o in ("gaussian", "cma")}
    assert all(sum(row["weights"].values()) == pytest.approx(1) for row in found["choices"])


def test_names_stay_in_their_cell(tmp_path: Path) -> None:
    rows = [("a|b\n<i>", {"x|\x1b[1m": 1.0}, 1, 0.5), ("c", {"y": 1.0}, 1, 0.4), ("d", {"z": 1.0}, 1, 0.4)]
    text = as_markdown(choose(_file(tmp_path, rows)))
    assert "\x1b" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    in_first = [line for line in tables if "a\\|b" in line]
    assert in_first
    assert all(line.replace("\\|", "").count("|") in (8, 9, 10) for line in in_first)


def test_the_command_prints_one_json_object_or_tables_or_what_is_wrong(fixtures: Path, tmp_path: Path) -> None:
    path = fixtures / "mixture_runs" / "modomodo_seeds.jsonl"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bythebook.studies.mixture.choose", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    said = run(str(path), "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["best_seed"]["name"] == "without COCO"
    broken = tmp_path / "runs.jsonl"
    broken.write_text('{"name": "a", "weights": {"x": 2}, "scores": {"t": 1}}\n', encoding="utf-8")
    said = run(str(broken))
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith(f"{broken}:1: ")


@pytest.mark.parametrize("arguments", [["--top", "0"], ["--seed", "-1"], ["--single", "nan"], ["--optimizer", "x"]])
def test_options_out_of_range_are_refused(
    fixtures: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(fixtures / "mixture_runs" / "modomodo_seeds.jsonl")
    monkeypatch.setattr(sys, "argv", ["choose", path, *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err


def _file(folder: Path, runs: list[tuple[str, dict[str, float], int, float]]) -> Path:
    rows = [{"name": n, "weights": w, "seed": seed, "scores": {"Out": score}} for n, w, seed, score in runs]
    path = folder / "runs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
