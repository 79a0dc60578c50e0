"""SemEval-2010 Task 8: the official scores (scorer v1.2), in their three variants.

Source: I. Hendrickx et al., SemEval-2010 Task 8, ACL S10-1006; README of the official scorer v1.2. The official score
is the macro-averaged F1 of the nine relations, (9+1)-way, a right relation in the wrong direction being an error;
`Other` is a class like the rest in the confusion matrix and in accuracy, but is left out of the averages.

What the official program does in the corners, and so does this one:
- a skipped id costs recall, like an answer `Other`; answers with a relation the gold lacks cost recall and nothing
  else, so precision, and the macro average is over the relations the gold has;
- precision of a relation nobody answered is 0 in the macro average (beside it, per relation, we say None);
- an answers file with one malformed line, one id twice or one id the gold lacks is refused as a whole.

Three corners differ: a last line without its line end is read; ids with leading zeros are refused in both files; and
where the official program divides by 0 (no answer at all; no relation in the gold) the figure is None.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.types import Noun

__all__ = [
    "LABELS",
    "OFFICIAL",
    "OTHER",
    "RELATIONS",
    "TWO_WAY",
    "UNDIRECTED",
    "Average",
    "LabelScore",
    "ProtocolScores",
    "Scores",
    "check_answers",
    "read_answers",
    "score",
    "score_file",
    "to_json",
]

OTHER = "Other"
RELATIONS = (
    "Cause-Effect",
    "Component-Whole",
    "Content-Container",
    "Entity-Destination",
    "Entity-Origin",
    "Instrument-Agency",
    "Member-Collection",
    "Message-Topic",
    "Product-Producer",
)
LABELS = (*(f"{r}{d}" for r in RELATIONS for d in ("(e1,e2)", "(e2,e1)")), OTHER)
"""The 19 labels: nine relations in both directions, and `Other`."""

OFFICIAL = "semeval2010-official-9+1-directed"
TWO_WAY = "semeval2010-2x9+1"
UNDIRECTED = "semeval2010-9+1-undirected"

_LABEL_SET = frozenset(LABELS)
_LINE = re.compile(r"(0|[1-9][0-9]{0,11})\t([^\r\n]+)")
_DIRECTION = re.compile(r"\(e[12],e[12]\)$")
_SHOWN_FAULTS = 20
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Average(Noun):
    """Precision, recall and F1 as fractions, None where undefined."""

    precision: float | None
    recall: float | None
    f1: float | None


class LabelScore(Noun):
    """Counts of one label of the gold: answers that are right, answers with this label, gold items with it."""

    label: str
    correct: int
    proposed: int
    gold: int

    @property
    def average(self) -> Average:
        """None for the precision of a label nobody answered; F1 = 2·correct / (proposed + gold)."""
        return _average(self.correct, self.proposed, self.gold)

    @property
    def percent(self) -> tuple[float, float, float]:
        """(P, R, F1) in percent as the official scorer computes them: 0 where undefined."""
        return _percent(self.correct, self.proposed, self.gold)


class ProtocolScores(Noun):
    """One of the three variants. Every dict is keyed by labels of this variant (with or without direction)."""

    name: str
    per_label: tuple[LabelScore, ...]
    """The labels of the gold, sorted, `Other` last."""
    confusion: dict[str, dict[str, int]]
    """gold label → answered label → count; in the official variant without answers of wrong direction."""
    wrong_direction: dict[str, int]
    """gold label → right relation answered in the wrong direction; all 0 but in the official variant."""
    skipped: dict[str, int]
    """gold label → items nobody answered."""
    foreign: dict[str, int]
    """Answered labels that the gold has nowhere, with their number."""
    correct: int
    answered: int
    total: int

    @property
    def coverage(self) -> float | None:
        """Answered items / all items."""
        return _ratio(self.answered, self.total)

    @property
    def accuracy(self) -> float | None:
        """Right / answered."""
        return _ratio(self.correct, self.answered)

    @property
    def accuracy_skipped_wrong(self) -> float | None:
        """Right / all: a skipped item is an error."""
        return _ratio(self.correct, self.total)

    @property
    def accuracy_skipped_other(self) -> float | None:
        """(Right + skipped items whose gold is `Other`) / all."""
        return _ratio(self.correct + self.skipped.get(OTHER, 0), self.total)

    @property
    def _relations(self) -> tuple[LabelScore, ...]:
        return tuple(s for s in self.per_label if s.label != OTHER)

    @property
    def micro_counts(self) -> tuple[int, int, int]:
        """(correct, proposed, gold) summed over the relations of the gold."""
        rows = self._relations
        return sum(s.correct for s in rows), sum(s.proposed for s in rows), sum(s.gold for s in rows)

    @property
    def micro(self) -> Average:
        """Over the summed counts of all relations, without `Other`."""
        return _average(*self.micro_counts)

    @property
    def macro_percent(self) -> tuple[float, float, float] | None:
        """(P, R, F1) in percent, means over the relations of the gold; the sums run in the official order, so the
        two printed decimals agree. None if the gold has no relation."""
        rows = self._relations
        if not rows:
            return None
        sums = [0.0, 0.0, 0.0]
        for row in rows:
            for i, value in enumerate(row.percent):
                sums[i] += value
        return sums[0] / len(rows), sums[1] / len(rows), sums[2] / len(rows)

    @property
    def macro(self) -> Average:
        """Means over the relations of the gold, without `Other`; an undefined precision counts 0, as officially."""
        percent = self.macro_percent
        if percent is None:
            return Average(precision=None, recall=None, f1=None)
        return Average(precision=percent[0] / 100, recall=percent[1] / 100, f1=percent[2] / 100)


class Scores(Noun):
    """All three variants of one set of answers."""

    official: ProtocolScores
    two_way: ProtocolScores
    undirected: ProtocolScores

    @property
    def protocols(self) -> tuple[ProtocolScores, ...]:
        return self.official, self.two_way, self.undirected


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _average(correct: int, proposed: int, gold: int) -> Average:
    return Average(
        precision=_ratio(correct, proposed), recall=_ratio(correct, gold), f1=_ratio(2 * correct, proposed + gold)
    )


def _percent(correct: int, proposed: int, gold: int) -> tuple[float, float, float]:
    # In percent from the start, not scaled afterwards: the official roundings to two decimals depend on it.
    p = 100.0 * correct / proposed if proposed else 0.0
    r = 100.0 * correct / gold if gold else 0.0
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


def _relation(label: str) -> str:
    return _DIRECTION.sub("", label)


# ------------------------------------------------------------------------------------------------- reading answers


def check_answers(path: Path | str, known: Container[int] | None = None) -> tuple[dict[int, str], list[dict[str, Any]]]:
    """Read `id<TAB>label` lines: (id → label of every sound line, every fault as {"file", "line", "message"}).

    `known` are the ids of the gold; without it any id is accepted. DataError if the file can't be read.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    if raw.startswith(_UTF16):
        raise DataError("the file is UTF-16", file=path, line=1, remedy="save it as UTF-8")
    answers: dict[int, str] = {}
    faults: list[dict[str, Any]] = []
    lines = raw.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        problem = _read_line(line.decode("utf-8", errors="replace").removesuffix("\r"), answers, known)
        if problem:
            faults.append({"file": str(path), "line": number, "message": problem})
    return answers, faults


def _read_line(line: str, answers: dict[int, str], known: Container[int] | None) -> str | None:
    """Put the line's answer into `answers`; return what is wrong with it, None if nothing."""
    found = _LINE.fullmatch(line)
    if found is None:
        return f"not 'id<TAB>label': {_shown(line)}"
    number, label = int(found[1]), found[2]
    if label not in _LABEL_SET:
        if label in RELATIONS:
            return f"label without direction: {label}; write {label}(e1,e2) or {label}(e2,e1)"
        return f"unknown label: {_shown(label)}"
    if number in answers:
        return f"id {number} stands twice"
    if known is not None and number not in known:
        return f"id {number} is not in the gold"
    answers[number] = label
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def read_answers(path: Path | str, known: Container[int] | None = None) -> dict[int, str]:
    """id → label of a file of `id<TAB>label` lines (LF or CRLF, any order).

    Raises DataError for the first fault, its line in `line`, with all others named in the message; and for a file
    without any answer. `known` as in `check_answers`.
    """
    answers, faults = check_answers(path, known)
    if faults:
        rest = [f"line {f['line']}: {f['message']}" for f in faults[1:_SHOWN_FAULTS]]
        more = len(faults) - 1 - len(rest)
        message = "; ".join([faults[0]["message"], *rest, *([f"and {more} more faults"] if more > 0 else [])])
        remedy = "one 'id<TAB>label' a line, labels like Cause-Effect(e1,e2) or Other, no id twice"
        raise DataError(message, file=path, line=faults[0]["line"], remedy=remedy)
    if not answers:
        raise DataError("the file has no answer", file=path, remedy="write one 'id<TAB>label' a line")
    return answers


# ------------------------------------------------------------------------------------------------------- scoring


def score(gold: Mapping[int, str], predicted: Mapping[int, str]) -> Scores:
    """Scores of `predicted` (id → label; ids may be missing) against `gold` (id → label), labels out of `LABELS`.

    DataError for a label outside `LABELS` and for a predicted id the gold lacks.
    """
    for what, labels in (("gold", gold), ("predicted", predicted)):
        for number, label in labels.items():
            if label not in _LABEL_SET:
                raise DataError(f"{what} label of id {number} is none of the 19: {_shown(label)}")
    for number in predicted:
        if number not in gold:
            raise DataError(f"predicted id {number} is not in the gold")
    pairs = [(label, predicted.get(number)) for number, label in gold.items()]
    bare = [(_relation(g), None if p is None else _relation(p)) for g, p in pairs]
    turned = [g != p and bg == bp for (g, p), (bg, bp) in zip(pairs, bare, strict=True)]
    return Scores(
        official=_protocol(OFFICIAL, bare, turned),
        two_way=_protocol(TWO_WAY, pairs, [False] * len(pairs)),
        undirected=_protocol(UNDIRECTED, bare, [False] * len(pairs)),
    )


def _protocol(name: str, pairs: list[tuple[str, str | None]], turned: list[bool]) -> ProtocolScores:
    """`pairs`: (gold, answered or None); `turned`: right relation, wrong direction."""
    gold = Counter(g for g, _ in pairs)
    proposed = Counter(p for _, p in pairs if p is not None)
    cells = Counter((g, p) for (g, p), t in zip(pairs, turned, strict=True) if p is not None and not t)
    wrong = Counter(g for (g, _), t in zip(pairs, turned, strict=True) if t)
    skipped = Counter(g for g, p in pairs if p is None)
    rows = sorted(gold, key=_other_last)
    foreign = sorted(proposed.keys() - gold.keys(), key=_other_last)
    return ProtocolScores(
        name=name,
        per_label=tuple(LabelScore(label=x, correct=cells[x, x], proposed=proposed[x], gold=gold[x]) for x in rows),
        confusion={g: {p: cells[g, p] for p in (*rows, *foreign)} for g in rows},
        wrong_direction={g: wrong[g] for g in rows},
        skipped={g: skipped[g] for g in rows},
        foreign={p: proposed[p] for p in foreign},
        correct=sum(cells[x, x] for x in rows),
        answered=sum(proposed.values()),
        total=len(pairs),
    )


def _other_last(label: str) -> tuple[bool, str]:
    return label == OTHER, label


def to_json(scores: Scores) -> dict[str, Any]:
    """One JSON object: `protocols` (name → figures; `f1`, `precision`, `recall` are the macro average), `per_relation`
    and `confusion` (both name → label → …). All rates are fractions 0..1, None where undefined."""
    return {
        "protocols": {p.name: _figures(p) for p in scores.protocols},
        "per_relation": {
            p.name: {
                s.label: {**s.average.model_dump(), "correct": s.correct, "proposed": s.proposed, "gold": s.gold}
                for s in p.per_label
            }
            for p in scores.protocols
        },
        "confusion": {
            p.name: {
                g: {**row, "(wrong direction)": p.wrong_direction[g], "(skipped)": p.skipped[g]}
                for g, row in p.confusion.items()
            }
            for p in scores.protocols
        },
    }


def _figures(p: ProtocolScores) -> dict[str, Any]:
    macro, micro = p.macro, p.micro
    return {
        "f1": macro.f1,
        "precision": macro.precision,
        "recall": macro.recall,
        "micro_f1": micro.f1,
        "micro_precision": micro.precision,
        "micro_recall": micro.recall,
        "accuracy": p.accuracy,
        "accuracy_skipped_wrong": p.accuracy_skipped_wrong,
        "accuracy_skipped_other": p.accuracy_skipped_other,
        "coverage": p.coverage,
        "answered": p.answered,
        "total": p.total,
        "labels_not_in_gold": p.foreign,
    }


def score_file(answers: Path | str, gold: Path | str) -> dict[str, Any]:
    """`to_json` of the scores of an answers file against a key file, both of `id<TAB>label` lines.

    DataError names file and line of whatever breaks the format.
    """
    key = read_answers(gold)
    return to_json(score(key, read_answers(answers, key)))
