"""The one picture that documents show: how accuracy out of domain moves in training, and where every arm ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bythebook.errors import InputError, MissingExtraError
from bythebook.report.rows import SummaryRow, summary_rows
from bythebook.report.run import MetricLine, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["picture"]

_INK, _MUTED, _RULE = "#1c1c1a", "#62615b", "#dcdad2"
_OOD, _ID = "#0b5fa5", "#b45309"
_TRACED = (("rl", "#0b5fa5"), ("sft_answers", "#a3362b"))


def picture(run: Path | Run, path: Path) -> Path:
    """Write a PNG: accuracy against training for RL and answer-only fine-tuning, and Avg@K of every arm.

    InputError if the run is no demo or has no records; MissingExtraError without matplotlib.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("the picture", "train") from None
    run = Run.of(run)
    rows = [row for row in summary_rows(run) if any(row["sets"].values())]
    if not rows:
        raise InputError("no records of a demo to draw", file=run.path, remedy="run `bythebook demo` first")
    traced = [(run.arm(name), colour, run.metrics(name)) for name, colour in _TRACED]
    curves = [(arm.label, colour, lines) for arm, colour, lines in traced if arm and _curve(lines, "eval/ood_accuracy")]
    with mpl.rc_context({"font.family": "sans-serif", "font.size": 9.5, "text.color": _INK, "axes.labelcolor": _MUTED}):
        figure = Figure(figsize=(9.2 if curves else 5.6, 3.6), dpi=200, layout="constrained")
        axes = figure.subplots(1, 2 if curves else 1, squeeze=False)[0]
        if curves:
            _draw_curves(axes[0], curves)
        _draw_arms(axes[-1], rows, run.k)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without the library's version in it, the same run gives the same file.
        figure.savefig(path, format="png", metadata={"Software": None})
    return path


def _curve(lines: Sequence[MetricLine], key: str) -> list[tuple[float, float]]:
    """(share of the training done in %, accuracy in %)"""
    last = max((line.step for line in lines), default=0)
    return [(100 * line.step / last, 100 * line.values[key]) for line in lines if key in line.values] if last else []


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_RULE)
    axes.tick_params(colors=_MUTED, length=0)
    axes.set_axisbelow(True)


def _draw_curves(axes: Axes, curves: Sequence[tuple[str, str, list[MetricLine]]]) -> None:
    _bare(axes)
    axes.grid(axis="y", color=_RULE, linewidth=0.7)
    for label, colour, lines in curves:
        inside, outside = _curve(lines, "eval/id_accuracy"), _curve(lines, "eval/ood_accuracy")
        axes.plot(*zip(*outside, strict=True), color=colour, linewidth=2.2, marker="o", markersize=3.5)
        if inside:
            axes.plot(*zip(*inside, strict=True), color=colour, linewidth=1.1, linestyle=(0, (4, 2)))
            _name(axes, f"{label}, labels seen", inside, colour, "bottom")
        _name(axes, f"{label}, new labels", outside, colour, "top", bold=True)
    axes.set(xlim=(0, 100), ylim=(0, 104), xlabel="training, %", yticks=range(0, 101, 25))
    axes.set_title("Accuracy during training, %", loc="left", fontsize=10, fontweight="bold")


def _name(
    axes: Axes, text: str, points: Sequence[tuple[float, float]], colour: str, side: str, bold: bool = False
) -> None:
    x, y = points[-1]
    axes.annotate(
        text,
        (x, y),
        xytext=(-3, 4 if side == "bottom" else -6),
        textcoords="offset points",
        ha="right",
        va=side,
        color=colour,
        fontsize=8.5,
        fontweight="bold" if bold else "normal",
    )


def _draw_arms(axes: Axes, rows: Sequence[SummaryRow], k: int) -> None:
    _bare(axes)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=_RULE, linewidth=0.7)
    for y, row in enumerate(rows):
        inside, outside = row["sets"].get("id"), row["sets"].get("ood")
        if outside and outside["avg_at_k"] is not None:
            value = 100 * outside["avg_at_k"]
            axes.barh(y, value, height=0.5, color=_OOD)
            axes.annotate(f"{value:.0f}", (value, y), (-3, 0), textcoords="offset points", ha="right", va="center",
                          color="white" if value > 8 else _INK, fontsize=8.5)  # fmt: skip
        if inside and inside["avg_at_k"] is not None:
            axes.plot(100 * inside["avg_at_k"], y, marker="D", color=_ID, markersize=5, markeredgecolor="white")
    axes.set(xlim=(0, 104), xticks=range(0, 101, 25), yticks=range(len(rows)))
    axes.set_yticklabels([row["label"] for row in rows], color=_INK)
    axes.invert_yaxis()
    axes.set_title(f"Avg@{k}, %: new labels (bars), labels seen (◆)", loc="left", fontsize=10, fontweight="bold")
