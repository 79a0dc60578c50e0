"""The figures of several runs of the demo, one a seed, as Markdown tables for documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bythebook import stats
from bythebook.errors import InputError
from bythebook.report.figures import DASH, interval, number, percent, points
from bythebook.report.rows import EDITS, EditRow, case_rows, edit_rows, summary_rows
from bythebook.report.run import Run
from bythebook.report.scores import Difference, ItemScores, Measure, item_scores, paired_difference

__all__ = ["markdown_summary"]

_SETS = (("id", "ID"), ("ood", "OOD"))
_COMPARED: tuple[tuple[str, tuple[str, Measure], tuple[str, Measure]], ...] = (
    ("RL Avg@{k} − start Avg@{k}", ("rl", "avg"), ("start", "avg")),
    ("RL Avg@{k} − start greedy", ("rl", "avg"), ("start", "greedy")),
    ("RL Avg@{k} − start Maj@{k}", ("rl", "avg"), ("start", "maj")),
    ("RL greedy − start greedy", ("rl", "greedy"), ("start", "greedy")),
    ("RL Avg@{k} − answer-only SFT Avg@{k}", ("rl", "avg"), ("sft_answers", "avg")),
    ("RL Avg@{k} − careful SFT Avg@{k}", ("rl", "avg"), ("sft_careful", "avg")),
    ("random reward Avg@{k} − start Avg@{k}", ("rl_random", "avg"), ("start", "avg")),
    ("format-only reward Avg@{k} − start Avg@{k}", ("rl_format", "avg"), ("start", "avg")),
)


def markdown_summary(runs: Sequence[Path]) -> str:
    """Markdown tables over several runs of the demo, one a seed.

    Means over seeds with the 95 % t-interval over seeds (two or more of them), and paired differences out of domain
    with the 95 % bootstrap interval over seeds × guidelines. InputError if a run is no demo or `runs` is empty.
    """
    opened = [Run(path) for path in runs]
    if not opened:
        raise InputError("no run to summarise", remedy="give at least one run directory of the demo")
    for run in opened:
        if run.demo is None:
            raise InputError("not a run of the demo", file=run.path, remedy="give folders that hold demo.json")
    if len({run.k for run in opened}) > 1:
        raise InputError("the runs differ in K, so their Avg@K can't be averaged", remedy="evaluate with one K")
    sections = [_seeds_main(opened), _seeds_differences(opened), _seeds_edits(opened), _seeds_cases(opened)]
    return "\n\n".join(section for section in sections if section) + "\n"


def _over_seeds(values: Iterable[float | None]) -> str:
    """Mean of shares over seeds in %, with the t-interval cut at 0 and 100."""
    known = [v for v in values if v is not None]
    found = stats.interval(known)
    text = percent(stats.mean(known))
    return text if found is None else f"{text} {interval(max(0.0, found[0]), min(1.0, found[1]))}"


def _arms_in(runs: Sequence[Run]) -> dict[str, str]:
    return {arm.name: arm.label for run in reversed(runs) for arm in run.arms}


def _seeds_main(runs: Sequence[Run]) -> str:
    tables = [{row["arm"]: row["sets"] for row in summary_rows(run)} for run in runs]
    k = runs[0].k
    order = [arm.name for arm in runs[0].arms]
    labels = _arms_in(runs)
    order += [name for name in labels if name not in order]
    measures = (("avg_at_k", f"Avg@{k}"), ("maj_at_k", f"Maj@{k}"), ("pass_at_k", f"Pass@{k}"), ("greedy", "greedy"))
    body = []
    for arm in order:
        for name, shown in _SETS:
            sets = [s for table in tables if (s := table.get(arm, {}).get(name)) is not None]
            if not sets:
                continue
            cells = [_over_seeds([s[m] for s in sets]) for m, _ in measures]  # type: ignore[literal-required]
            cells += [_over_seeds(s["format_rate"] for s in sets), number(stats.mean(s["tokens"] for s in sets))]
            body.append([labels[arm], shown, str(sum(s["items"] for s in sets)), *cells])
    header = ["model", "set", "items", *(title for _, title in measures), "format", "tokens"]
    note = "Percentages; mean over seeds" + (
        ", 95 % t-interval over seeds in brackets, cut at 0 and 100." if len(runs) > 1 else "."
    )
    return f"### Accuracy ({_count(len(runs), 'seed')})\n\n{note}\n\n" + _markdown(header, body, left=2)


def _seeds_differences(runs: Sequence[Run]) -> str:
    body = []
    for title, ours, theirs in _COMPARED:
        found = paired_difference((_scores(run, *ours), _scores(run, *theirs)) for run in runs)
        if found is not None:
            body.append([title.format(k=runs[0].k), str(found.n), points(found.mean), _interval(found)])
    if not body:
        return ""
    note = "Percentage points, paired by item; 95 % bootstrap interval over seeds × guidelines."
    header = ["difference", "items", "mean", "95 % interval"]
    return "### Differences out of domain\n\n" + note + "\n\n" + _markdown(header, body, left=1)


def _scores(run: Run, arm: str, measure: Measure) -> ItemScores | None:
    return item_scores(run.records(f"{arm}.ood"), run.k, measure)


def _interval(found: Difference) -> str:
    return DASH if found.low is None else f"[{points(found.low)}, {points(found.high)}]"


def _seeds_edits(runs: Sequence[Run]) -> str:
    grouped: dict[tuple[str, str, str], list[EditRow]] = {}
    labels = _arms_in(runs)
    for run in runs:
        for row in edit_rows(run):
            grouped.setdefault((row["arm"], row["edit"], row["set"]), []).append(row)
    body = [
        [labels[arm], EDITS[edit] + (", in-domain" if name == "id" else ""), *_edit_cells(rows)]
        for (arm, edit, name), rows in grouped.items()
    ]
    header = ["model", "guideline in the prompt", "items", "ordinary", "edited", "kept", "chance", "as before"]
    note = (
        "Greedy accuracy; kept: edited ÷ ordinary, where the edit changes the gold answer; as before: answers that are "
        "right only by the unedited guideline."
    )
    return (
        "### Obedience to an edited guideline, %\n\n" + note + "\n\n" + _markdown(header, body, left=2) if body else ""
    )


def _edit_cells(rows: Sequence[EditRow]) -> list[str]:
    ordinary, edited = stats.mean(r["ordinary"] for r in rows), stats.mean(r["edited"] for r in rows)
    # A ratio of means: a mean of ratios runs away where one seed's ordinary accuracy is near 0.
    kept = edited / ordinary if edited is not None and ordinary and any(r["kept"] is not None for r in rows) else None
    return [
        str(sum(r["n"] for r in rows)),
        _over_seeds(r["ordinary"] for r in rows),
        _over_seeds(r["edited"] for r in rows),
        percent(kept, 0),
        percent(stats.mean(r["chance"] for r in rows)),
        percent(stats.mean(r["old_answer"] for r in rows)),
    ]


def _seeds_cases(runs: Sequence[Run]) -> str:
    arms: dict[str, str] = {}
    grouped: dict[str, dict[str, list[float | None]]] = {}
    for run in runs:
        for row in case_rows(run):
            cells = grouped.setdefault(row["case_label"], {})
            for arm, value in row["arms"].items():
                arms.setdefault(arm, _arms_in(runs)[arm])
                cells.setdefault(arm, []).append(value)
    if not grouped:
        return ""
    body = [[case, *(_over_seeds(cells.get(arm, [])) for arm in arms)] for case, cells in grouped.items()]
    return f"### Out-of-domain Avg@{runs[0].k} by case, %\n\n" + _markdown(["case", *arms.values()], body, left=1)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _markdown(header: Sequence[str], body: Sequence[Sequence[str]], left: int) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    rule = "|" + "|".join("---" if i < left else "--:" for i in range(len(header))) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in body)])
