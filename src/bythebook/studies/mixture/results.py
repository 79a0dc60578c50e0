"""The results page of MoDoMoDo on our own tasks, recomputed from kept runs:

python -m bythebook.studies.mixture.results --keep runs/modomodo docs/results/modomodo
python -m bythebook.studies.mixture.results docs/results/modomodo
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.errors import InputError
from bythebook.mixtures import Mixture
from bythebook.readers.mixture_runs import MixtureRun, read_mixture_runs
from bythebook.records import read_jsonl, write_jsonl
from bythebook.studies.kept import interval_text, results_script, share_text, table_row
from bythebook.studies.mixture.arms import BEST, CLAIMS, DOMAINS, OUT, START, TESTS, Claim
from bythebook.studies.mixture.choose import choose
from bythebook.studies.mixture.experiments import SETTINGS, found_in, second_mixtures
from bythebook.studies.mixture.measured import against
from bythebook.studies.mixture.show import as_markdown
from bythebook.studies.mixture.work import CONFIRM, SEARCH

__all__ = ["keep_experiments", "results", "verdicts"]

_UNTESTED = "cannot be tested at this size"
_RULE = (
    "*Confirmed*: the interval lies above 0. *Not seen here*: it does not. *Cannot be tested at this size*: fewer than "
    "two seeds, or both mixtures are the same."
)


def keep_experiments(run: Path, folder: Path) -> None:
    """Copy what the tables need: the rows of both rounds, what training showed of each domain, sizes, environment."""
    folder.mkdir(parents=True, exist_ok=True)
    for round_ in (SEARCH, CONFIRM):
        found = found_in(run, round_)
        write_jsonl(folder / f"{round_}.jsonl", [row["row"] for row in found])
        shown = [{"name": row["row"]["name"], "seed": row["row"]["seed"], "of": row["training"]} for row in found]
        write_jsonl(folder / f"{round_}_training.jsonl", shown)
        for name in ("size.json", "environment.json"):
            shutil.copyfile(run / round_ / "seed0" / name, folder / f"{round_}_{name}")


def results(folder: Path) -> str:
    """All tables, as Markdown. InputError where nothing is kept."""
    runs = _runs(folder)
    first, second = len({run.seed for run in runs[SEARCH]}), len({run.seed for run in runs[CONFIRM]})
    said = (
        f"First round: {len({r.name for r in runs[SEARCH]}) - 1} mixtures, {first} seeds. Second round: {second} other "
        f"seeds and other questions. The score is the mean accuracy of the three tests out of domain "
        f"({', '.join(OUT)}), sampled at temperature 1. Differences are paired by seed, with Student's 95 % interval "
        "over seeds. All runs start from one model."
    )
    found = choose(_file(folder), SETTINGS)
    told = [said, "## First round: what was run, and what is chosen from it", as_markdown(found)]
    told += [_second_table(found, runs[CONFIRM]), _tests_table(runs[CONFIRM]), _training_table(folder)]
    return "\n\n".join([*told, _claims_table(_judged(found, runs[CONFIRM]))])


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """The claims, as `bythebook reproduce --json` prints them."""
    runs = _runs(folder)[CONFIRM]
    return _judged(choose(_file(folder), SETTINGS), runs)


def _judged(found: dict[str, Any], runs: Sequence[MixtureRun]) -> list[dict[str, Any]]:
    return [_verdict(claim, runs, found["best_seed"]["name"]) for claim in CLAIMS]


def _file(folder: Path) -> Path:
    return folder / f"{SEARCH}.jsonl"


def _runs(folder: Path) -> dict[str, list[MixtureRun]]:
    if not all((folder / f"{round_}.jsonl").exists() for round_ in (SEARCH, CONFIRM)):
        raise InputError("holds no kept runs of this study", file=folder, remedy="make them with --keep")
    return {round_: read_mixture_runs(folder / f"{round_}.jsonl") for round_ in (SEARCH, CONFIRM)}


def _score(run: MixtureRun) -> float:
    return sum(run.scores[test] for test in OUT) / len(OUT)


def _mixture(runs: Sequence[MixtureRun], name: str) -> Mixture | None:
    of = sorted((run for run in runs if run.name == name), key=lambda run: run.seed or 0)
    if not of:
        return None
    weights = tuple(of[0].weights.get(domain, 0.0) for domain in DOMAINS)
    return Mixture(name, weights, tuple(run.seed for run in of), tuple(_score(run) for run in of))


def _verdict(claim: Claim, runs: Sequence[MixtureRun], best: str) -> dict[str, Any]:
    names = [best if name == BEST else name for name in (claim.better, claim.than)]
    better, than = (_mixture(runs, name) for name in names)
    found = against(better, than) if better and than else None
    verdict = _UNTESTED if found is None else "confirmed" if found["low"] > 0 else "not seen here"
    fields = {key: None if found is None else found[key] for key in ("difference", "low", "high")}
    return {
        "claim": claim.said,
        "test": "out of domain",
        "quantity": "avg",
        "verdict": verdict,
        "differences": [{"of": names[0], "to": names[1], **fields}],
    }


def _head(title: str, columns: Sequence[str]) -> list[str]:
    return [title, "", table_row(columns), table_row(["---", *["--:"] * (len(columns) - 1)])]


def _second_table(found: dict[str, Any], runs: Sequence[MixtureRun]) -> str:
    """What was chosen, on new seeds and questions, beside what was predicted of it."""
    best = found["best_seed"]["name"]
    before = {row["name"]: row["mean"] for row in found["mixtures"]}
    foreseen = {f"{row['surrogate']}, {row['optimizer']}": row.get("predicted") for row in found["choices"]}
    columns = ["mixture", *DOMAINS, "first round", "predicted", "accuracy", "sd", "minus uniform", f"minus {BEST}"]
    lines = _head("## Second round: the choices on other seeds", columns)
    uniform, top = _mixture(runs, "uniform"), _mixture(runs, best)
    for name in second_mixtures(found):
        mixture = _mixture(runs, name)
        if mixture is None:
            continue
        shares = ["–" if name == START else f"{share:.2f}" for share in mixture.weights]
        cells = [_share(found["base"] if name == START else before.get(name)), _share(foreseen.get(name))]
        differences = [_points(against(mixture, other)) for other in (uniform, top)]
        called = f"**{BEST}**: {name}" if name == best else name
        lines.append(table_row([called, *shares, *cells, share_text(mixture.scores), _share(mixture.sd), *differences]))
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _points(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{100 * found['difference']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


def _tests_table(runs: Sequence[MixtureRun]) -> str:
    lines = _head("### Test by test, second round, in %", ["mixture", *TESTS])
    for name in dict.fromkeys(run.name for run in runs):
        of = [run for run in runs if run.name == name]
        lines.append(table_row([name, *(interval_text([run.scores[test] for run in of]) for test in TESTS)]))
    return "\n".join(lines)


def _training_table(folder: Path) -> str:
    """Every domain with its own reward in one run: the uniform mixture, all seeds of both rounds."""
    files = [folder / f"{round_}_training.jsonl" for round_ in (SEARCH, CONFIRM)]
    rows = [row["of"] for file in files for _, row in read_jsonl(file) if row["name"] == "uniform"]
    columns = ["domain", "share of rollouts", "reward", "at the end", "accuracy", "at the end"]
    lines = _head("### Training on the uniform mixture, each domain with its own reward", columns)
    for domain in DOMAINS:
        of = [row[domain] for row in rows if domain in row]
        means = {key: stats.mean(v for row in of if (v := row.get(key)) is not None) for key in _COLUMNS}
        cells = [
            "–" if mean is None else f"{mean:.2f}" if key.startswith("reward") else _share(mean)
            for key, mean in means.items()
        ]
        lines.append(table_row([domain, *cells]))
    return "\n".join([*lines, "", "First and last quarter of the steps, means over the runs of both rounds."])


_COLUMNS = ("share", "reward_first", "reward_last", "accuracy_first", "accuracy_last")


def _claims_table(judged: Sequence[dict[str, Any]]) -> str:
    head = ["claim", "difference, points", "verdict"]
    lines = ["### Claims", "", _RULE, "", table_row(head), table_row(["---"] * len(head))]
    for found in judged:
        difference = found["differences"][0]
        told = _points(None if difference["difference"] is None else difference)
        lines.append(table_row([found["claim"], told, f"**{found['verdict']}**"]))
    return "\n".join(lines)


def main() -> int:
    """The script."""
    return results_script("The tables of mixtures on our own tasks, from kept runs.", results, keep_experiments)


if __name__ == "__main__":
    sys.exit(main())
