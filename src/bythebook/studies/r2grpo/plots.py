"""Curves of the miniature: Best F1@K against K, what RL is paid and how long it writes against the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bythebook import stats
from bythebook.errors import InputError
from bythebook.studies.drawing import COLOURS, drawn, finish
from bythebook.studies.r2grpo.arms import ARMS, SPLITS
from bythebook.studies.r2grpo.figures import Quantity, over_seeds, rows_of, samples_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_SMOOTH = 5
"""Steps of which a curve shows the mean."""


def draw(folder: Path, path: Path) -> Path:
    """Write a PNG of what is kept in `<folder>/seed*`: above Best F1@K (lines, means over seeds with Student's 95 %
    interval) and Avg@K (marks on the left) on every test, below reward, REL+ and tokens of rollouts. InputError where
    nothing is kept; MissingExtraError without matplotlib."""
    seeds = sorted(folder.glob("seed*"))
    tests = [(track, split, said) for track, splits in SPLITS.items() for split, said in splits.items()]
    if not seeds:
        raise InputError("holds no kept records of this study", file=folder, remedy="make them with --keep")
    with drawn(path, 11.2, 6.4) as figure:
        grid = figure.subplots(2, len(tests))
        for column, (track, split, said) in enumerate(tests):
            arms = [name for name, arm in ARMS.items() if arm.track == track and arm.group == "compared"]
            _best_of(grid[0][column], seeds, arms, split)
            grid[0][column].set_title(said, fontsize=9)
        grid[0][0].set_ylabel("REL+, Best F1@K in %")
        learning = [name for name, arm in ARMS.items() if arm.rl and arm.group == "compared"]
        _by_step(grid[1][0], seeds, learning, lambda row: row["reward"], "reward as it was paid")
        _by_step(grid[1][1], seeds, learning, _f1, "REL+ of the rollouts in %")
        _by_step(grid[1][2], seeds, learning, lambda row: row["tokens"], "tokens of a rollout")
        _legend(grid[1][0])
    return path


def _best_of(axes: Axes, seeds: Sequence[Path], arms: Sequence[str], split: str) -> None:
    most = min((n for arm in arms if (n := samples_of(seeds, arm, split))), default=1)
    ks = [2**power for power in range(most.bit_length()) if 2**power <= most]
    for colour, arm in zip(COLOURS, arms, strict=False):
        found = [over_seeds(seeds, arm, split, Quantity("best", k)) for k in ks]
        if not all(found):
            continue
        means = [100 * sum(values) / len(values) for values in found]
        axes.plot(ks, means, "-", color=colour, label=ARMS[arm].label)
        bounds = [stats.interval(values) for values in found]
        if None not in bounds:
            low, high = ([100 * b[side] for b in bounds if b] for side in (0, 1))
            axes.fill_between(ks, low, high, color=colour, alpha=0.15, linewidth=0)
        average = stats.mean(over_seeds(seeds, arm, split, Quantity("avg")))
        if average is not None:
            axes.plot([ks[0]], [100 * average], "o", color=colour, markersize=4)
    finish(axes, "K", ks)
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=7)


def _by_step(
    axes: Axes, seeds: Sequence[Path], arms: Sequence[str], value: Callable[[dict[str, Any]], float | None], said: str
) -> None:
    for colour, arm in zip(COLOURS, arms, strict=False):
        steps = zip_longest(*(rows_of(seed, arm) for seed in seeds))
        means = [stats.mean(v for row in rows if row and (v := value(row)) is not None) for rows in steps]
        smooth = [
            stats.mean(m for m in means[max(0, n + 1 - _SMOOTH) : n + 1] if m is not None) for n in range(len(means))
        ]
        known = [(n, m) for n, m in enumerate(smooth) if m is not None]
        if known:
            axes.plot([n for n, _ in known], [m for _, m in known], color=colour, label=ARMS[arm].label)
    finish(axes, f"step ({said})")


def _f1(row: dict[str, Any]) -> float | None:
    tp, fp, fn = row["counts"].get("rel_plus", (0, 0, 0))
    return 200 * tp / (2 * tp + fp + fn) if tp + fp + fn else None
