"""Curves of a training run as geometry for inline SVG, and the one PNG that documents show.

The page draws its curves from `Panel`s in a template, so that colours follow the reader's light or dark mode and every
text in them is escaped like the rest. Only `picture` needs matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from bythebook.report.run import MetricLine

__all__ = ["Line", "Panel", "Tick", "extent", "nice_ticks", "panels"]

WIDTH, HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 10, 30
_MOST_POINTS = 600

Unit = Literal["number", "percent"]
_Points = list[tuple[float, float]]


@dataclass(frozen=True)
class _Spec:
    title: str
    keys: tuple[tuple[str, str, str], ...]
    """(metric key, legend, style class)"""
    unit: Unit = "number"
    from_zero: bool = True
    evaluated: str | None = None
    """What evaluations during training name `<split>_<evaluated>`: a curve for each split."""


_SPLITS = {"id": ("in-domain", "id"), "ood": ("out-of-domain", "ood")}
_OTHERS = ("id", "ood", "third")
"""Styles of splits of other names, in their order."""
_SPECS = (
    _Spec("Reward", (("reward", "mean of the step", "train"),), from_zero=False),
    _Spec("Accuracy", (("accuracy", "training rollouts", "train"),), "percent", evaluated="accuracy"),
    _Spec("F1 of entities and relations", (("f1", "training rollouts", "train"),), "percent", evaluated="f1"),
    _Spec("Well-formed completions", (("format_rate", "training rollouts", "train"),), "percent"),
    _Spec("Completion length, tokens", (("completion_length", "mean of the step", "train"),)),
    _Spec("Entropy, nats a token", (("entropy", "mean of the step", "train"),)),
    _Spec("Groups without signal", (("groups_without_signal", "share of the step's groups", "train"),), "percent"),
    _Spec("Loss", (("loss", "mean of the step", "train"),), from_zero=False),
)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: position in the drawing and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """One curve: `raw` as logged (empty where nothing was smoothed), `points` as shown; SVG coordinates."""

    legend: str
    style: str
    points: str
    raw: str
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Panel:
    """One small diagram against the training step."""

    title: str
    alt: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def extent(runs: Iterable[Sequence[MetricLine]]) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of every metric (and of `step`) over several runs: shared axes of small multiples."""
    out: dict[str, tuple[float, float]] = {}
    for lines in runs:
        for line in lines:
            for key, value in (("step", float(line.step)), *line.values.items()):
                low, high = out.get(key, (value, value))
                out[key] = (min(low, value), max(high, value))
    return out


def panels(lines: Sequence[MetricLine], shared: dict[str, tuple[float, float]]) -> list[Panel]:
    """The diagrams for which `lines` has data, on the axes that `shared` (from `extent`) gives."""
    return [panel for spec in _SPECS if (panel := _panel(_with_splits(spec, shared), lines, shared)) is not None]


def _with_splits(spec: _Spec, shared: Iterable[str]) -> _Spec:
    """The diagram with the curves of all splits that any run evaluated."""
    if spec.evaluated is None:
        return spec
    start, end = "eval/", f"_{spec.evaluated}"
    found = [key[len(start) : -len(end)] for key in shared if key.startswith(start) and key.endswith(end)]
    named = {split: _SPLITS[split] for split in _SPLITS if split in found}
    free = [style for style in _OTHERS if style not in named]
    # What is out of domain has its colour first.
    for split in sorted(found, key=lambda split: (not split.endswith("ood"), split)):
        if split not in named:
            wanted = "ood" if split.endswith("ood") else "id"
            style = wanted if wanted in free else free[0] if free else _OTHERS[-1]
            free = [other for other in free if other != style]
            named[split] = (split.replace("_", " "), style)
    order = [split for split in _SPLITS if split in named] + sorted(split for split in named if split not in _SPLITS)
    return replace(spec, keys=spec.keys + tuple((f"{start}{split}{end}", *named[split]) for split in order))


def _panel(spec: _Spec, lines: Sequence[MetricLine], shared: dict[str, tuple[float, float]]) -> Panel | None:
    found = [(key, legend, style, _points(lines, key)) for key, legend, style in spec.keys]
    found = [row for row in found if row[3]]
    if not found:
        return None
    ranges = [shared[key] for key, *_ in spec.keys if key in shared]
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if spec.unit == "percent":
        low, high = min(0.0, low), max(1.0, high)
    elif spec.from_zero:
        low = min(0.0, low)
    y_values = nice_ticks(low, high, 4)
    low, high = min(low, y_values[0]), max(high, y_values[-1])
    x_low, x_high = shared["step"]

    def x(value: float) -> float:
        return _scaled(value, x_low, x_high, _LEFT, WIDTH - _RIGHT)

    def y(value: float) -> float:
        return _scaled(value, low, high, HEIGHT - _BOTTOM, _TOP)

    def draw(points: _Points) -> str:
        return " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in _thinned(points))

    drawn = []
    for _, legend, style, points in found:
        calm = _smoothed(points) if style == "train" else points
        dots = (
            ()
            if style == "train"
            else tuple(
                (round(x(a), 1), round(y(b), 1), f"{legend}, step {a:g}: {_text(b, spec.unit)}") for a, b in points
            )
        )
        drawn.append(Line(legend, style, draw(calm), draw(points) if calm is not points else "", dots))
    return Panel(
        title=spec.title,
        alt=_alt(spec, found),
        x_ticks=tuple(Tick(round(x(v), 1), f"{v:g}") for v in nice_ticks(x_low, x_high, 4) if x_low <= v <= x_high),
        y_ticks=tuple(Tick(round(y(v), 1), _text(v, spec.unit)) for v in y_values),
        lines=tuple(drawn),
    )


def _alt(spec: _Spec, found: list[tuple[str, str, str, _Points]]) -> str:
    parts = []
    for _, legend, _, points in found:
        calm = _smoothed(points)
        (first, a), (last, b) = calm[0], calm[-1]
        parts.append(f"{legend} from {_text(a, spec.unit)} at step {first:g} to {_text(b, spec.unit)} at step {last:g}")
    return f"{spec.title} against training step: " + "; ".join(parts) + "."


def _points(lines: Sequence[MetricLine], key: str) -> _Points:
    return [(float(line.step), line.values[key]) for line in lines if key in line.values]


def _thinned(points: _Points) -> _Points:
    """At most `_MOST_POINTS` of the points and the last one: more would not be seen in so small a diagram."""
    stride = -(-len(points) // _MOST_POINTS)
    return points if stride <= 1 else [*points[:-1:stride], points[-1]]


def _smoothed(points: _Points) -> _Points:
    """Centred moving average over about a twelfth of the run (half of it at the ends); few points stay as they are."""
    half = len(points) // 24
    if half == 0:
        return points
    # Running totals keep this linear in a long run.
    totals = [0.0, *accumulate(value for _, value in points)]
    out = []
    for i, (step, _) in enumerate(points):
        start, end = max(0, i - half), min(len(points), i + half + 1)
        out.append((step, (totals[end] - totals[start]) / (end - start)))
    return out


def _scaled(value: float, low: float, high: float, start: float, end: float) -> float:
    return (start + end) / 2 if high <= low else start + (value - low) / (high - low) * (end - start)


def _text(value: float, unit: Unit) -> str:
    if unit == "percent":
        return f"{100 * value:.0f} %"
    return f"{value:.3g}".replace("-", "−")


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Round values from at most `low` to at least `high`, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]
