"""The figures of one run as rows: what the page and every table show. Nothing is judged again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bythebook import stats
from bythebook.records import Record
from bythebook.report.extraction_scores import ExtractionScores, TypeScores, extraction_scores, type_scores
from bythebook.report.extractions import of_both
from bythebook.report.run import Run
from bythebook.report.scores import SetScores, group_of, score_set

__all__ = [
    "CASES",
    "EDITS",
    "CaseRow",
    "EditRow",
    "ExtractionRow",
    "FileRow",
    "SummaryRow",
    "case_rows",
    "edit_rows",
    "extraction_rows",
    "file_rows",
    "summary_rows",
]

EDITS = {
    "wrong_guideline": "wrong guideline",
    "rotated_names": "names moved round by one",
    "swapped_names": "two names swapped",
    "flipped_direction": "one direction flipped",
    "dropped_exception": "the exception that fired removed",
    "added_exception": "an exception that fires added",
    "no_rule": "no rule applies",
}
"""Obedience sets in the order shown."""

CASES = {
    "plain": "a rule applies",
    "exception_not_fired": "a rule applies, its exception does not fire",
    "exception": "an exception fires",
    "no_rule": "no rule applies",
}

_SAME_GOLD_COUNTS = frozenset({"wrong_guideline", "no_rule"})
"""In the other edits only items whose gold the edit changed tell whether it was read."""


class SummaryRow(TypedDict):
    """One arm; `sets` has the keys `id` and `ood`, None where there are no records."""

    arm: str
    label: str
    kind: str
    sets: dict[str, SetScores | None]


class EditRow(TypedDict):
    """One arm under one edit of the guideline; shares of 0…1."""

    arm: str
    label: str
    edit: str
    edit_label: str
    set: str
    """`id`, `ood`, or empty where the records don't tell."""
    n: int
    ordinary: float | None
    """Greedy accuracy of the same items under the unedited guideline."""
    edited: float | None
    """Greedy accuracy by the edited guideline; for the wrong guideline, by the original one."""
    kept: float | None
    """`edited` / `ordinary`, where the gold changed; None for the wrong guideline and where no rule applies."""
    chance: float | None
    """Accuracy of the same answers against the golds of random other items; for the wrong guideline."""
    old_answer: float | None
    """Share of answers that are right by the unedited guideline and wrong by the edited one."""


class CaseRow(TypedDict):
    """Avg@K of every arm on one kind of item, out of domain."""

    case: str
    case_label: str
    n: int
    arms: dict[str, float | None]


class FileRow(SetScores):
    """Scores of one file of records in an ordinary run."""

    file: str


class ExtractionRow(ExtractionScores):
    """Scores of joint extraction of one file of records in an ordinary run."""

    file: str
    types: list[TypeScores]


def summary_rows(run: Path | Run) -> list[SummaryRow]:
    """Avg@K, Maj@K, Pass@K, greedy accuracy, format rate and tokens of every arm, in domain and out of domain."""
    run = Run.of(run)
    out: list[SummaryRow] = []
    for arm in run.arms:
        sets = {name: score_set(run.records(f"{arm.name}.{name}"), run.k) for name in ("id", "ood")}
        out.append({"arm": arm.name, "label": arm.label, "kind": arm.kind, "sets": sets})
    return out


def edit_rows(run: Path | Run) -> list[EditRow]:
    """Accuracy under edited guidelines of every arm that was tested so, one row an edit and set."""
    run = Run.of(run)
    out: list[EditRow] = []
    for arm in run.arms:
        for edit in EDITS:
            sets: dict[str, list[Record]] = {}
            for record in run.records(f"{arm.name}.{edit}"):
                if record.sample == -1 and record.correct is not None:
                    sets.setdefault(group_of(record), []).append(record)
            for name in sorted(sets):
                row = _edit_row(edit, sets[name], name)
                if row is not None:
                    out.append({**row, "arm": arm.name, "label": arm.label})
    return out


def _edit_row(edit: str, records: Sequence[Record], name: str) -> EditRow | None:
    if edit not in _SAME_GOLD_COUNTS:
        records = [r for r in records if r.tags.get("gold_before") != r.gold]
    if not records:
        return None
    before = [1.0 if r.tags["correct_before"] == "true" else 0.0 for r in records if "correct_before" in r.tags]
    ordinary = stats.mean(before)
    edited = stats.mean([1.0 if r.correct else 0.0 for r in records])
    wrong = edit == "wrong_guideline"
    old = [1.0 if r.answer == r.tags["gold_before"] else 0.0 for r in records if "gold_before" in r.tags]
    return {
        "arm": "",
        "label": "",
        "edit": edit,
        "edit_label": EDITS[edit],
        "set": name,
        "n": len(records),
        "ordinary": ordinary,
        "edited": edited,
        "kept": None if edit in _SAME_GOLD_COUNTS or not ordinary or edited is None else edited / ordinary,
        "chance": stats.chance_agreement([r.answer for r in records], [r.gold for r in records]) if wrong else None,
        "old_answer": None if edit in _SAME_GOLD_COUNTS else stats.mean(old),
    }


def case_rows(run: Path | Run) -> list[CaseRow]:
    """Out-of-domain Avg@K by the tag `case`, known cases first; `n` is the number of items of the first arm."""
    run = Run.of(run)
    out: dict[str, CaseRow] = {}
    for arm in run.arms:
        by_case: dict[str, list[Record]] = {}
        for record in run.records(f"{arm.name}.ood"):
            if "case" in record.tags:
                by_case.setdefault(record.tags["case"], []).append(record)
        for case, records in by_case.items():
            scores = score_set(records, run.k)
            if scores is None:
                continue
            label = CASES.get(case, case)
            row = out.setdefault(case, {"case": case, "case_label": label, "n": scores["items"], "arms": {}})
            row["arms"][arm.name] = scores["avg_at_k"]
    order = [case for case in CASES if case in out] + sorted(case for case in out if case not in CASES)
    return [out[case] for case in order]


def file_rows(run: Path | Run) -> list[FileRow]:
    """Scores of every file of records, as far as its records carry gold labels. K is the file's own."""
    run = Run.of(run)
    out: list[FileRow] = []
    for name in run.record_files:
        scores = score_set(of_both(run.records(name))[0], None)
        if scores is not None:
            out.append({**scores, "file": name})
    return out


def extraction_rows(run: Path | Run) -> list[ExtractionRow]:
    """Scores of joint extraction of every file of records, as far as its records carry counts; with those by type."""
    run = Run.of(run)
    out: list[ExtractionRow] = []
    for name in run.record_files:
        _, records = of_both(run.records(name))
        scores = extraction_scores(records)
        if scores is not None:
            out.append({**scores, "file": name, "types": type_scores(records)})
    return out
