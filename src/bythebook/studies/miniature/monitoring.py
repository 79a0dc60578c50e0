"""What training still had to learn from, step by step: a table of a miniature whose training sentences are soon solved.

One-Shot RLVR (arXiv 2504.20571), section 3: with one example the training accuracy is near 1 after a few steps, and the
test accuracy goes on rising ("post-saturation generalisation").
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.recipe import load_recipe
from bythebook.records import loads, read_jsonl
from bythebook.studies.kept import table_row
from bythebook.studies.miniature.arms import Arm, Miniature
from bythebook.studies.miniature.work import FEW
from bythebook.studies.one_shot.saturation import StepSignal, expected_groups_with_signal, gain_after, saturated_from

__all__ = ["keep_monitoring", "left_to_learn", "metric_quarters", "monitoring_table", "quarters"]

_CHOSEN = "chosen.json"
_SOLVED = 0.99
"""Training accuracy from which on a sentence counts as solved."""
_WINDOWS = 4
_HEAD = ("", "sentences", "training accuracy", "groups with signal", "expected", "solved from", "gain after", "kept")
_SAID = (
    "By quarters of the training, means over seeds. *Groups with signal*: those whose completions did not all earn the "
    "same, of {groups} a step; *expected*: how many there would be at this accuracy, were completions independent. "
    f"*Solved from*: the step of each seed from which on the training accuracy is at least {_SOLVED:g}; *gain after*: "
    "points of greedy accuracy from there to the last step, on the sentences of the choice; *kept*: the step whose "
    "model was chosen on them. *Sentences*: the variance of the accuracies that the sentence had in training on all."
)


def keep_monitoring(seed: Path, folder: Path) -> None:
    """Copy what the table needs of the arms of a seed's run: which sentences, and what was chosen."""
    for name in (FEW, _CHOSEN):
        for file in sorted((seed / "arms").glob(f"*/{name}")):
            kept = folder / Path(name).stem / f"{file.parent.name}.json"
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, kept)


def monitoring_table(miniature: Miniature, seeds: Sequence[Path]) -> str:
    """The table, as Markdown."""
    trained = [arm for arm in miniature.arms if arm.recipe is not None]
    groups = max((_sizes(arm)[0] for arm in trained), default=0)
    lines = [
        "### What was left to learn from",
        "",
        _SAID.format(groups=groups),
        "",
        table_row(_HEAD),
        table_row(["---"] * len(_HEAD)),
    ]
    lines += [table_row(_row(arm, seeds)) for arm in trained]
    return "\n".join(lines)


def left_to_learn(seed: Path, arm: Arm) -> list[StepSignal]:
    """The steps of a kept run, from its metrics: those at which completions were drawn."""
    file = seed / "metrics" / f"{arm.name}.jsonl"
    groups, size = _sizes(arm)
    found = []
    for _, row in read_jsonl(file) if file.exists() else ():
        accuracy, silent = row.get("accuracy"), row.get("groups_without_signal")
        if accuracy is not None and silent is not None:
            expected = expected_groups_with_signal(accuracy, size, groups)
            found.append(StepSignal(row["step"], accuracy, groups, round(groups * (1 - silent)), expected))
    return found


def quarters(runs: Sequence[Sequence[Any]], value: Callable[[Any], float | None], form: str = ".3g") -> str:
    """Means over the rows of each quarter of the runs, with arrows between."""
    out = []
    for quarter in range(_WINDOWS):
        rows = [run[len(run) * quarter // _WINDOWS : len(run) * (quarter + 1) // _WINDOWS] for run in runs]
        mean = stats.mean(value(row) for part in rows for row in part)
        out.append("–" if mean is None else f"{mean:{form}}")
    return " → ".join(out)


def metric_quarters(runs: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str]) -> list[str]:
    """`quarters` of the metrics of these names."""
    return [quarters(runs, methodcaller("get", name)) for name in names]


def _sizes(arm: Arm) -> tuple[int, int]:
    """(groups of a step, completions of a group); zeros for an arm without RL."""
    rollout = load_recipe(arm.recipe, arm.overrides).rollout if arm.recipe else None
    return (rollout.prompts_per_step, rollout.num_generations) if rollout else (0, 0)


def _row(arm: Arm, seeds: Sequence[Path]) -> list[str]:
    runs = [left_to_learn(seed, arm) for seed in seeds]
    chosen = [_json(seed / "chosen" / f"{arm.name}.json") for seed in seeds]
    few = [_json(seed / "few" / f"{arm.name}.json") for seed in seeds]
    solved = [saturated_from(run, _SOLVED) for run in runs]
    return [
        arm.label,
        "; ".join(_sentences(rows) for rows in few if rows) or ("–" if arm.ranks else "all"),
        quarters(runs, lambda s: s.accuracy, ".2f"),
        quarters(runs, lambda s: float(s.with_signal), ".1f"),
        quarters(runs, lambda s: s.expected, ".1f"),
        _listed(solved),
        _listed([_gain(note, start) for note, start in zip(chosen, solved, strict=True)], "+.1f"),
        _listed([note["step"] if note else None for note in chosen]),
    ]


def _sentences(rows: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{row['variance']:.3f}" for row in rows)


def _gain(chosen: dict[str, Any] | None, start: int | None) -> float | None:
    if chosen is None or start is None:
        return None
    gain = gain_after({row["step"]: row["accuracy"] for row in chosen["seen"]}, start)
    return None if gain is None else 100 * gain


def _listed(values: Sequence[float | None], form: str = "") -> str:
    return ", ".join("–" if value is None else f"{value:{form}}" for value in values) or "–"


def _json(file: Path) -> Any:
    return loads(file.read_text(encoding="utf-8")) if file.exists() else None
