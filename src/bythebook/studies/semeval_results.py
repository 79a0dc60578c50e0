"""The results page of the SemEval-2010 run over seeds, recomputed from kept records (ids, answers, verdicts):

python -m bythebook.studies.semeval_results docs/results/r1_re_semeval
python -m bythebook.studies.semeval_results --keep runs/semeval-0 DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from bythebook import stats
from bythebook.metrics import semeval2010 as official
from bythebook.records import Record, read_records
from bythebook.studies.kept import results_script, table_row
from bythebook.tasks.semeval2010 import answer_number

__all__ = ["results"]

_ROWS = {
    "majority_class": "majority class (`Other`)",
    "majority_relation": "majority relation",
    "bag_of_words": "bag of words, logistic regression",
    "start": "from scratch, SFT with reasoning (before RL)",
    "trained": "from scratch, then R1-RE RL (after)",
}


def _figures(records: list[Record]) -> dict[str, float | None]:
    greedy = [r for r in records if r.sample == -1 and r.gold]
    gold = {answer_number(r.id): str(r.gold) for r in greedy}
    answers = {answer_number(r.id): r.answer for r in greedy if r.answer and r.answer in official.LABELS}
    protocols = official.to_json(official.score(gold, answers))["protocols"]
    return {
        "official": protocols[official.OFFICIAL]["f1"],
        "undirected": protocols[official.UNDIRECTED]["f1"],
        "two_way": protocols[official.TWO_WAY]["f1"],
        "accuracy": stats.mean(float(bool(r.correct)) for r in greedy),
        "format": stats.mean(float(r.well_formed) for r in greedy),
    }


def results(folder: Path) -> str:
    """The table, as Markdown, over `<folder>/seed*`: mean, and Student's t interval of the official score."""
    head = [
        "",
        "official (9+1) directed",
        "95 % interval",
        "(9+1) undirected",
        "(2·9+1) directed",
        "accuracy",
        "format",
    ]
    lines = [table_row(head), table_row(["---", *["---:"] * (len(head) - 1)])]
    for name, label in _ROWS.items():
        files = sorted(folder.glob(f"seed*/records/{name}.test.jsonl.gz"))
        found = [_figures(read_records(file)) for file in files]
        if not found:
            continue
        varies = name in ("start", "trained")
        between = stats.interval([f["official"] or 0.0 for f in found]) if varies else None
        cells = [label, _mean(found, "official"), "–" if between is None else f"{between[0]:.3f} … {between[1]:.3f}"]
        cells += [_mean(found, key) for key in ("undirected", "two_way", "accuracy")]
        lines.append(table_row([*cells, _mean(found, "format") if varies else "–"]))
    seeds = len(list(folder.glob("seed*")))
    lines += ["", f"{seeds} seeds; macro-F1 as fractions; the baselines have no seed."]
    return "\n".join([*lines, *_gain(folder)])


def _gain(folder: Path) -> list[str]:
    """What RL added to the official score, paired by seed."""
    pairs = [
        [run / "records" / f"{name}.test.jsonl.gz" for name in ("start", "trained")] for run in folder.glob("seed*")
    ]
    scored = [[_figures(read_records(file))["official"] or 0.0 for file in pair] for pair in pairs if pair[0].exists()]
    gains = [after - before for before, after in scored]
    between = stats.interval(gains)
    if between is None:
        return []
    each = f"{stats.mean(gains):+.4f} [{between[0]:+.4f}, {between[1]:+.4f}]"
    return [f"RL minus its start, official macro-F1, paired by seed: {each}."]


def _mean(found: list[dict[str, float | None]], key: str) -> str:
    value = stats.mean(f[key] for f in found)
    return "–" if value is None else f"{value:.4f}"


def main() -> int:
    """The script."""
    return results_script("SemEval-2010 results over seeds, from kept records.", results)


if __name__ == "__main__":
    sys.exit(main())
