from __future__ import annotations

from pathlib import Path

import pytest
from report_runs import demo_run, write_json

from bythebook.errors import InputError
from bythebook.report import Run, picture
from bythebook.report.plots import extent, nice_ticks, panels
from bythebook.report.run import MetricLine


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (-3, 3, [-4, -2, 0, 2, 4]),
        (0, 21.3, [0, 10, 20, 30]),
        (0, 0.0004, [0, 0.0001, 0.0002, 0.0003, 0.0004]),
        (5, 5, [5]),
    ],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high, 4) == pytest.approx(ticks)


def _lines(values: list[float], key: str = "reward") -> list[MetricLine]:
    return [MetricLine(step=i, values={key: v}) for i, v in enumerate(values)]


def test_points_lie_inside_the_diagram_and_rise_with_the_value() -> None:
    lines = _lines([-3.0, 0.0, 3.0])
    [panel] = panels(lines, extent([lines]))
    drawn = [tuple(float(v) for v in point.split(",")) for point in panel.lines[0].points.split()]
    assert [x for x, _ in drawn] == [panel.left, (panel.left + panel.right) / 2, panel.right]
    heights = [y for _, y in drawn]
    assert panel.bottom > heights[0] > heights[1] > heights[2] > panel.top
    assert panel.alt == "Reward against training step: mean of the step from −3 at step 0 to 3 at step 2."


def test_small_multiples_share_their_axes() -> None:
    long, short = _lines([0.0, 1.0, 2.0, 3.0, 4.0]), _lines([0.0, 1.0])
    shared = extent([long, short])
    [first], [second] = panels(long, shared), panels(short, shared)
    assert (first.x_ticks, first.y_ticks) == (second.x_ticks, second.y_ticks)


def test_a_constant_long_curve_is_smoothed_to_itself_and_stays_bounded() -> None:
    lines = _lines([0.5] * 5000, "accuracy")
    [panel] = panels(lines, extent([lines]))
    points = panel.lines[0].points.split()
    assert len({point.split(",")[1] for point in points}) == 1
    assert 500 < len(points) <= 601
    assert float(points[-1].split(",")[0]) == panel.right


def test_metrics_that_are_not_finite_numbers_are_left_out(tmp_path: Path) -> None:
    text = '{"step": 1, "reward": NaN, "entropy": null, "loss": "x", "accuracy": true, "format_rate": 1e999}\n'
    (tmp_path / "metrics.jsonl").write_text(text + '{"step": 2, "eval": {"ood_accuracy": 0.5}}', encoding="utf-8")
    assert Run(tmp_path).metrics() == [MetricLine(step=2, values={"eval/ood_accuracy": 0.5})]


def test_the_picture_is_a_png_and_the_same_each_time(tmp_path: Path, demo: Path) -> None:
    first, second = picture(demo, tmp_path / "a" / "p.png"), picture(demo, tmp_path / "b.png")
    assert first.read_bytes().startswith(b"\x89PNG\r\n")
    assert first.read_bytes() == second.read_bytes()


def test_the_picture_needs_records_but_no_curves(tmp_path: Path) -> None:
    run = demo_run(tmp_path / "run", items=8)
    for file in run.glob("arms/*/metrics.jsonl"):
        file.unlink()
    assert picture(run, tmp_path / "p.png").stat().st_size > 5000
    write_json(tmp_path / "empty" / "demo.json", {"title": "t", "arms": [{"name": "rl", "label": "RL"}]})
    with pytest.raises(InputError, match="no records of a demo to draw"):
        picture(tmp_path / "empty", tmp_path / "q.png")
