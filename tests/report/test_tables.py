from __future__ import annotations

import io
from pathlib import Path

import pytest
from report_runs import demo_run, write_json
from rich.console import Console

from bythebook import stats
from bythebook.errors import InputError
from bythebook.report import markdown_summary, print_summary, summary_rows
from bythebook.report.figures import interval, number, percent, points


def _printed(run: Path) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_summary(run, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_shares_numbers_and_differences_as_text() -> None:
    assert (percent(0.8433), percent(None), percent(0.95, 0)) == ("84.3", "–", "95")
    assert (number(-0.5, 2), number(None)) == ("−0.50", "–")
    assert [points(v) for v in (0.3591, -0.026, 0.0001, -0.0001, None)] == ["+35.9", "−2.6", "0.0", "0.0", "–"]
    assert (interval(0.1, 0.25), interval(None, None)) == ("[10.0, 25.0]", "")


def test_the_terminal_shows_three_tables_of_a_demo(demo: Path) -> None:
    shown = _printed(demo)
    titles = ("Accuracy and format rate, %", "Does it obey the guideline?", "Out-of-domain Avg@4 by case, %")
    assert [title for title in titles if title not in shown] == []
    scores = summary_rows(demo)[1]["sets"]["ood"]
    assert scores is not None
    [line] = [text for text in shown.splitlines() if "R1-RE RL" in text and percent(scores["avg_at_k"]) in text]
    assert percent(scores["greedy"]) in line


def test_the_terminal_shows_scores_by_file_of_an_ordinary_run(training: Path) -> None:
    shown = _printed(training)
    assert "rollouts" in shown
    assert "test" in shown


def test_labels_are_not_read_as_markup(tmp_path: Path, demo: Path) -> None:
    run = demo_run(tmp_path, items=8)
    described = (run / "demo.json").read_text(encoding="utf-8").replace("R1-RE RL", "[red]RL[/red]")
    (run / "demo.json").write_text(described, encoding="utf-8")
    assert "[red]RL[/red]" in _printed(run)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [demo_run(tmp_path_factory.mktemp(f"seed{s}"), seed=s, items=60) for s in range(3)]


def _cells(text: str, start: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {start} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_markdown_has_means_over_seeds_with_t_intervals(seeds: list[Path]) -> None:
    text = markdown_summary(seeds)
    values = []
    for run in seeds:
        scores = summary_rows(run)[1]["sets"]["ood"]
        assert scores is not None
        values.append(scores["avg_at_k"] or 0.0)
    found = stats.interval(values)
    assert found is not None
    expected = f"{100 * sum(values) / 3:.1f} [{100 * found[0]:.1f}, {min(100, 100 * found[1]):.1f}]"
    assert _cells(text, "R1-RE RL | OOD")[2:4] == ["180", expected]
    assert "### Accuracy (3 seeds)" in text


def test_markdown_has_the_paired_differences_that_the_claims_need(seeds: list[Path]) -> None:
    text = markdown_summary(seeds)
    rows = {
        name: _cells(text, name)
        for name in (
            "RL Avg@4 − start Avg@4",
            "RL Avg@4 − start greedy",
            "RL Avg@4 − start Maj@4",
            "RL Avg@4 − answer-only SFT Avg@4",
            "random reward Avg@4 − start Avg@4",
        )
    }
    assert all(cells[1] == "180" for cells in rows.values())
    assert rows["RL Avg@4 − answer-only SFT Avg@4"][3].startswith("[+")
    assert float(rows["RL Avg@4 − start Avg@4"][2]) > float(rows["RL Avg@4 − start greedy"][2]) > 10


def test_every_line_of_a_markdown_table_has_as_many_cells_as_its_head(seeds: list[Path]) -> None:
    tables = [block.splitlines() for block in markdown_summary(seeds).split("\n\n") if block.startswith("|")]
    assert len(tables) == 4
    for table in tables:
        assert {line.count("|") for line in table} == {table[0].count("|")}


def test_one_seed_has_no_t_interval(seeds: list[Path]) -> None:
    text = markdown_summary(seeds[:1])
    assert "### Accuracy (1 seed)" in text
    assert "[" not in text.split("### Differences")[0]


def test_runs_that_can_not_be_averaged_are_refused(tmp_path: Path, seeds: list[Path], training: Path) -> None:
    with pytest.raises(InputError, match="at least one run directory"):
        markdown_summary([])
    with pytest.raises(InputError, match=r"not a run of the demo \(give folders that hold demo\.json\)"):
        markdown_summary([*seeds, training])
    write_json(tmp_path / "demo.json", {"title": "t", "k": 8, "arms": [{"name": "rl", "label": "RL"}]})
    with pytest.raises(InputError, match="differ in K"):
        markdown_summary([*seeds, tmp_path])
