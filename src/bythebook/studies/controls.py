"""The controls beside a recipe of RL: the same run with a reward that does not know what is right.

`<output>` holds the recipe's run, `<output>/controls/<name>` that of each control. What a control gains over the start
the recipe did not gain from its reward (Spurious Rewards, arXiv 2506.10947).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bythebook import stats
from bythebook.errors import DataError, RecipeError
from bythebook.recipe import Recipe, RewardSection
from bythebook.records import Record
from bythebook.report.run import Run
from bythebook.rewards.registry import REWARDS
from bythebook.rewards.spurious import CONTROLS

__all__ = ["CONTROL_ARMS", "ControlRun", "Gain", "control_runs", "gains", "gains_json", "remarks"]

CONTROL_ARMS: Mapping[str, str] = {
    "random": "random reward, γ = .5",
    "format": "form only",
    "majority": "majority of the group as the label",
}
"""Control → what a table calls it."""
_TRUE = "true"
_BLIND = ("format_only", "random", *CONTROLS)

# ----------------------------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True)
class ControlRun:
    """One control as a run of its own."""

    name: str
    label: str
    recipe: Recipe
    output: Path


def control_runs(recipe: Recipe, output: Path) -> tuple[ControlRun, ...]:
    """The controls of a recipe that is run into `output`: everything the same but the reward.

    A warm start is not repeated: the controls start from the recipe's own, so that its run comes first. RecipeError if
    the recipe is not one of RL, or its reward is a control itself.
    """
    reward, rollout = recipe.reward, recipe.rollout
    if recipe.method != "rl" or reward is None or rollout is None:
        raise RecipeError(f"recipe {recipe.name!r} has no reward to control", remedy="controls belong to method rl")
    if reward.name in _BLIND:
        raise RecipeError(f"the reward {reward.name!r} is a control itself", remedy="name a reward that sees the gold")
    low, wrong, right = _scale(reward)
    controls: dict[str, dict[str, Any]] = {
        "random": {
            "name": "bernoulli",
            "options": {"p": 0.5, "seed": recipe.seed, "right": right, "wrong": wrong},
        },
        "format": {"name": "format_only", "options": {"bad_format": low, "good_format": right}},
        "majority": {
            "name": "majority",
            "options": {
                "base": reward.name,
                "base_options": dict(reward.options),
                "group_size": rollout.num_generations,
                "seed": recipe.seed,
            },
        },
    }
    rewards = {name: reward.model_copy(update=control) for name, control in controls.items()}
    started = _started(recipe, output)
    return tuple(
        ControlRun(
            name=name,
            label=label,
            recipe=started.model_copy(update={"name": f"{recipe.name}_{name}", "reward": rewards[name]}),
            output=output / "controls" / name,
        )
        for name, label in CONTROL_ARMS.items()
    )


def _scale(reward: RewardSection) -> tuple[float, float, float]:
    """(bad form, wrong, right) of the reward that is replaced, so that a loss that does not normalise sees rewards of
    the same size; 0, 0, 1 where it has no such fields."""
    kind = REWARDS.get(reward.name)
    if kind is None:
        raise RecipeError(f"there is no reward {reward.name!r}", remedy=f"choose one of {', '.join(REWARDS)}")
    fields = kind.model_fields

    def pays(name: str, absent: float) -> float:
        return float(reward.options.get(name, fields[name].default)) if name in fields else absent

    wrong = pays("wrong", 0.0)
    return pays("bad_format", wrong), wrong, pays("right", 1.0)


def _started(recipe: Recipe, output: Path) -> Recipe:
    """The recipe from where its own training starts."""
    if recipe.warm_start is None:
        return recipe
    model = recipe.model.model_copy(update={"path": str(output / "warm_start" / "model")})
    return recipe.model_copy(update={"warm_start": None, "model": model})


def remarks(recipe: Recipe) -> tuple[str, ...]:
    """What to know of a recipe before its controls are believed."""
    said = []
    if recipe.objective is not None and recipe.objective.num_iterations == 1:
        said.append(
            "one update a rollout: clipping never acts, so the random arm can't show the gain that several updates "
            "give a random reward (studies.spurious); set objective.num_iterations above 1 to ask for it"
        )
    if recipe.evaluation.choose_on is not None:
        said.append(
            f"the model is chosen on {recipe.evaluation.choose_on}, with gold: every arm gains from that choice alone"
        )
    return tuple(said)


# ---------------------------------------------------------------------------------------------------------- the table

Measure = Literal["greedy", "sampled"]
Ratio = dict[str, tuple[float, float]]
"""Example id → (numerator, denominator); a score is the ratio of the sums."""


@dataclass(frozen=True)
class Gain:
    """One line of the table: fractions, None where unknown."""

    arm: str
    label: str
    split: str
    seeds: int
    sentences: int
    gain: float
    low: float | None
    high: float | None
    """95 %: Student's over seeds where there are several, else by bootstrap over sentences."""
    share: float | None
    """Of the true reward's gain; None where that is not told from 0."""
    share_low: float | None
    share_high: float | None
    """95 %: Fieller's over seeds where there are several, else by bootstrap over sentences."""


def gains(runs: Sequence[Path], *, measure: Measure = "greedy", draws: int = 2000) -> list[Gain]:
    """What the true reward and every finished control gained over the start, split by split.

    `runs` are the recipe's run folders, one a seed, each with its `controls/`. Accuracy; of joint extraction micro-F1
    over entities and relations. Sentences are compared with themselves; those that an arm lacks are left out.
    InputError if a folder is no run; DataError if the first has no records of the start and of what was trained.
    """
    folders = [Run.of(run) for run in runs]
    splits = _splits(folders[0]) if folders else []
    if not splits:
        raise DataError(
            "no split has records of both the start and the trained model",
            file=folders[0].path if folders else None,
            remedy="a model from scratch has no start; with evaluation.choose_on only that split has one",
        )
    out = []
    for split in splits:
        found = [_scores(run, split, measure) for run in folders]
        out += [row for arm in (_TRUE, *CONTROL_ARMS) if (row := _gain(arm, split, found, draws)) is not None]
    return out


def _splits(run: Run) -> list[str]:
    """The splits of which there are both."""
    started, trained = (
        {name.removeprefix(prefix) for name in run.record_files if name.startswith(prefix)}
        for prefix in ("start.", "trained.")
    )
    return sorted(started & trained)


def _scores(run: Run, split: str, measure: Measure) -> dict[str, Ratio]:
    """Arm → its sentences; what is not there is left out."""
    found = {"start": _ratios(run.records(f"start.{split}"), measure)}
    found[_TRUE] = _ratios(run.records(f"trained.{split}"), measure)
    for name in CONTROL_ARMS:
        folder = run.path / "controls" / name
        if (folder / "records").is_dir():
            found[name] = _ratios(Run(folder).records(f"trained.{split}"), measure)
    return {arm: ratios for arm, ratios in found.items() if ratios}


def _ratios(records: Sequence[Record], measure: Measure) -> Ratio:
    out: dict[str, tuple[float, float]] = {}
    for r in records:
        if (r.sample >= 0) is not (measure == "sampled") or r.correct is None:
            continue
        above, below = out.get(r.id, (0.0, 0.0))
        more, of = _counted(r)
        out[r.id] = above + more, below + of
    return out


def _counted(record: Record) -> tuple[float, float]:
    """Of a label: right, of one. Of an extraction: 2·TP, of predicted and gold items, whose ratio is F1."""
    if record.counts is None:
        return float(bool(record.correct)), 1.0
    kept = [counts for name, counts in record.counts.items() if name != "rel_plus"]
    tp, wrong = sum(c[0] for c in kept), sum(c[1] + c[2] for c in kept)
    return 2.0 * tp, 2.0 * tp + wrong


def _gain(arm: str, split: str, found: Sequence[Mapping[str, Ratio]], draws: int) -> Gain | None:
    """One line, of the runs that have the arm; None if none has."""
    having = [scores for scores in found if {"start", _TRUE, arm} <= set(scores)]
    tables = [table for scores in having if len(table := _table(scores, arm))]
    if not tables:
        return None
    label = "the recipe's reward" if arm == _TRUE else CONTROL_ARMS[arm]
    mine = [_difference(table.sum(axis=0), 1) for table in tables]
    true = [_difference(table.sum(axis=0), 2) for table in tables]
    if any(math.isnan(g) for g in (*mine, *true)):
        return None
    if len(tables) > 1:
        bounds, share = stats.interval(mine), None if arm == _TRUE else _fieller(mine, true)
    else:
        bounds = _bootstrap(tables[0], 1, draws)
        share = None if arm == _TRUE else _bootstrap_share(tables[0], draws)
    gain = float(np.mean(mine))
    of_true = (None, None, None) if share is None else (gain / float(np.mean(true)), *share)
    return Gain(
        arm, label, split, len(tables), sum(map(len, tables)), gain, *(bounds or (None, None)),
        *((1.0, None, None) if arm == _TRUE else of_true),
    )  # fmt: skip


def _table(scores: Mapping[str, Ratio], arm: str) -> NDArray[np.float64]:
    """Sentences × (start, arm, true) × (numerator, denominator), flat: the sentences that all three have."""
    start, mine, true = scores["start"], scores[arm], scores[_TRUE]
    ids = [name for name in start if name in mine and name in true]
    return np.array([[*start[i], *mine[i], *true[i]] for i in ids], dtype=np.float64).reshape(-1, 6)


def _difference(sums: NDArray[np.float64], which: int) -> float:
    return float(_score(sums, which) - _score(sums, 0))


def _score(sums: NDArray[np.float64], which: int) -> NDArray[np.float64]:
    """… × 6 sums → … scores; NaN where nothing was asked and nothing said."""
    above, below = sums[..., 2 * which], sums[..., 2 * which + 1]
    out: NDArray[np.float64] = np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
    return out


def _bootstrap(table: NDArray[np.float64], which: int, draws: int) -> tuple[float, float] | None:
    """Bounds of a gain over the start, sentences resampled."""
    mine, start = table[:, 2 * which : 2 * which + 2], table[:, :2]
    found = stats.paired_document_bootstrap(mine, start, range(len(table)), lambda sums: _score(sums, 0), n=draws)
    return None if found is None else (found.low, found.high)


def _bootstrap_share(table: NDArray[np.float64], draws: int) -> tuple[float, float] | None:
    """Bounds of the arm's share of the true gain, the same sentences drawn for both; None if that may be 0."""
    true = _bootstrap(table, 2, draws)
    if true is None or true[0] <= 0.0:
        return None

    def share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        gained = _score(sums, 2) - _score(sums, 0)
        mine = _score(sums, 1) - _score(sums, 0)
        found: NDArray[np.float64] = np.where(gained > 0, mine / np.where(gained > 0, gained, 1.0), np.nan)
        # The other side of the comparison is nothing at all.
        return np.where(sums.any(axis=-1), found, 0.0)

    found = stats.paired_document_bootstrap(table, np.zeros_like(table), range(len(table)), share, n=draws)
    return None if found is None else (found.low, found.high)


def _fieller(mine: Sequence[float], true: Sequence[float]) -> tuple[float, float] | None:
    """Bounds of mean(mine) / mean(true) over seeds (Fieller 1954): the ratios ρ for which Student's interval of
    mine − ρ·true holds 0. None where the interval of `true` reaches 0, so that no ratio is too large."""
    n, reach = len(mine), stats.interval(true)
    if reach is None or reach[0] <= 0.0:
        return None
    a, b = float(np.mean(mine)), float(np.mean(true))
    spread = np.cov(mine, true)
    # Student's t, from a sample whose standard error is 1.
    unit = stats.interval([math.sqrt(n * (n - 1) / 2), -math.sqrt(n * (n - 1) / 2), *[0.0] * (n - 2)])
    scale = (unit[1] if unit else math.inf) ** 2 / n
    square, cross, rest = b * b - scale * spread[1, 1], a * b - scale * spread[0, 1], a * a - scale * spread[0, 0]
    root = math.sqrt(max(0.0, cross * cross - square * rest))
    return float((cross - root) / square), float((cross + root) / square)


def gains_json(rows: Sequence[Gain]) -> list[dict[str, Any]]:
    """The rows as plain objects."""
    return [asdict(row) for row in rows]
