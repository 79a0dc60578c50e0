"""Our scores against the golden numbers of the official scorer v1.2, which was run beside ours to write them down.

`semeval2010_scores.json` holds, for every case, what the official program printed (percentages with two decimals)
and a digest of its confusion matrices and per-relation counts. The cases are made from their seeds by `synthetic_case`
and `noisy_answers` below; the official examples are read from the data when it is there.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.metrics.semeval2010 import (
    LABELS,
    RELATIONS,
    ProtocolScores,
    Scores,
    check_answers,
    read_answers,
    score,
)
from bythebook.tasks.semeval2010 import read_gold

GOLDEN = json.loads((Path(__file__).parent / "semeval2010_scores.json").read_text(encoding="utf-8"))
DATA = Path(__file__).parents[2] / "../shared/data/semeval2010_task8"
with_data = pytest.mark.skipif(not DATA.is_dir(), reason="no SemEval-2010 files beside the repository")


# ------------------------------------------------------------------------------------------------ making the cases


def draw(rng: random.Random, items: Sequence[Any]) -> Any:
    """One item; from `random()` alone, whose sequence Python keeps for a seed."""
    return items[int(rng.random() * len(items))]


def synthetic_gold(rng: random.Random) -> dict[int, str]:
    """300 items with labels out of a random subset, at least one of them a relation."""
    size = 1 + int(rng.random() * len(LABELS))
    labels = [draw(rng, LABELS[:-1]), *(draw(rng, LABELS) for _ in range(size))]
    ids = [1 + 7 * i + int(rng.random() * 7) for i in range(300)]
    return {ids[0]: labels[0], **{i: draw(rng, labels) for i in ids[1:]}}


def noisy_answers(rng: random.Random, gold: Mapping[int, str]) -> dict[int, str]:
    """Answers with random rates of skipping, of any label at all, and of turned direction; never empty."""
    skip, noise, turn = rng.random() * 0.5, rng.random(), rng.random() * 0.5
    answers = {}
    for number, label in gold.items():
        if rng.random() < skip:
            continue
        if rng.random() < noise:
            label = draw(rng, LABELS)
        elif rng.random() < turn and label != "Other":
            relation, direction = label[:-7], label[-7:]
            label = relation + ("(e2,e1)" if direction == "(e1,e2)" else "(e1,e2)")
        answers[number] = label
    return answers or {next(iter(gold)): "Other"}


def synthetic_case(seed: int) -> tuple[dict[int, str], dict[int, str]]:
    """(gold, answers)"""
    rng = random.Random(seed)
    gold = synthetic_gold(rng)
    return gold, noisy_answers(rng, gold)


def answer_lines(answers: Mapping[int, str], seed: int) -> str:
    """A file of answers in no particular order, LF or CRLF."""
    order = sorted(answers, key=lambda number: (number * 2654435761 + seed) % 4294967296)
    end = "\r\n" if seed % 2 else "\n"
    return "".join(f"{number}\t{answers[number]}{end}" for number in order)


# ------------------------------------------------------------------------------------------------- comparing figures


def two(percent: float | None) -> str:
    assert percent is not None
    return f"{percent:.2f}"


def as_printed(p: ProtocolScores) -> dict[str, Any]:
    """The figures of one variant as the official program prints them, in the form of the golden file."""
    correct, proposed, gold = p.micro_counts
    macro = p.macro_percent
    assert macro is not None
    precision = 100.0 * correct / proposed if proposed else 0.0
    recall = 100.0 * correct / gold if gold else 0.0
    f1 = 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0
    accuracies = (p.accuracy, p.accuracy_skipped_wrong, p.accuracy_skipped_other)
    return {
        "answered": [p.answered, p.total],
        "accuracy": [two(None if a is None else round(a * 100, 9)) for a in accuracies],
        "micro": [correct, proposed, gold, two(precision), two(recall), two(f1)],
        "macro": [two(x) for x in macro],
        "detail": digest(detail(p)),
    }


def detail(p: ProtocolScores) -> list[Any]:
    """[[label, correct, proposed, gold, P, R, F1], …] and the rows of the confusion matrix with their margins."""
    rows = []
    for s in p.per_label:
        name = "_Other" if s.label == "Other" else s.label
        rows.append([name, s.correct, s.proposed, s.gold, *(two(x) for x in s.percent)])
    matrix = []
    for label, cells in p.confusion.items():
        counts = list(cells.values())
        total = sum(counts) + p.wrong_direction[label] + p.skipped[label]
        margin = [p.wrong_direction[label]] if p.name.endswith("official-9+1-directed") else []
        matrix.append([*counts, sum(counts), *margin, p.skipped[label], total])
    return [rows, matrix]


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()[:16]


def printed(scores: Scores) -> dict[str, Any]:
    return {
        "2x9+1": as_printed(scores.two_way),
        "undirected": as_printed(scores.undirected),
        "official": as_printed(scores.official),
    }


def scored(tmp_path: Path, gold: Mapping[int, str], answers: Mapping[int, str], seed: int) -> dict[str, Any]:
    file = tmp_path / f"{seed}.txt"
    file.write_bytes(answer_lines(answers, seed).encode())
    return printed(score(gold, read_answers(file, gold)))


# ---------------------------------------------------------------------------------------------------------- the tests


def test_the_golden_file_has_two_hundred_synthetic_cases() -> None:
    seeds = [case["seed"] for case in GOLDEN["synthetic"]]
    assert len(seeds) == 200
    assert len(set(seeds)) == 200


def test_synthetic_answers_score_as_officially(tmp_path: Path) -> None:
    wrong = [
        case["seed"]
        for case in GOLDEN["synthetic"]
        if scored(tmp_path, *synthetic_case(case["seed"]), case["seed"]) != case["printed"]
    ]
    assert wrong == []


def test_synthetic_cases_reach_the_corners() -> None:
    """Some golds lack relations that are answered, some cases have nothing right, some skip half."""
    cases = [synthetic_case(case["seed"]) for case in GOLDEN["synthetic"]]
    assert any(set(answers.values()) - set(gold.values()) for gold, answers in cases)
    assert any(len(answers) < 0.55 * len(gold) for gold, answers in cases)
    assert any("Other" not in gold.values() for gold, _ in cases)
    assert min(float(case["printed"]["official"]["macro"][2]) for case in GOLDEN["synthetic"]) < 5
    assert max(float(case["printed"]["official"]["macro"][2]) for case in GOLDEN["synthetic"]) > 80


@with_data
def test_noise_on_the_test_gold_scores_as_officially(tmp_path: Path) -> None:
    gold = read_gold(DATA)
    assert len(GOLDEN["test_gold"]) == 20
    for case in GOLDEN["test_gold"]:
        answers = noisy_answers(random.Random(case["seed"]), gold)
        assert scored(tmp_path, gold, answers, case["seed"]) == case["printed"]


@with_data
def test_official_examples_score_as_officially() -> None:
    folder = DATA / "scorer_examples"
    assert sorted(GOLDEN["official_examples"]) == ["1", "2", "3", "5"]
    for name, expected in GOLDEN["official_examples"].items():
        gold = read_answers(folder / f"answer_key{name}.txt")
        scores = score(gold, read_answers(folder / f"proposed_answer{name}.txt", gold))
        assert printed(scores) == expected
        last = (folder / f"result_scores{name}.txt").read_text(encoding="utf-8").rstrip().splitlines()[-1]
        macro = scores.official.macro_percent
        assert macro is not None
        assert f"macro-averaged F1 = {macro[2]:.2f}%" in last


@with_data
def test_the_malformed_official_example_has_its_four_faults() -> None:
    answers, faults = check_answers(DATA / "scorer_examples" / "proposed_answer4.txt")
    assert [f["line"] for f in faults] == [2, 3, 5, 7]
    assert sorted(answers) == [1, 3, 10]


def test_the_labels_are_the_nine_relations_in_both_directions_and_other() -> None:
    assert len(RELATIONS) == 9
    assert len(LABELS) == len(set(LABELS)) == 19
