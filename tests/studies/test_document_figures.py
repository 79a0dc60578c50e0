"""Figures of documents: pairs pooled over documents, tree-edit accuracy and length of greedy answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bythebook.metrics.extraction import Counts
from bythebook.records import Record, write_jsonl
from bythebook.studies.miniature.arms import SPLITS, Claim
from bythebook.studies.miniature.documents import Row, document_value, pair_counts, pooled_difference, pooled_figure
from bythebook.studies.miniature.figures import difference, figure, found_of
from bythebook.studies.miniature.results import keep_experiments, results, verdicts

GOLD = {"date": "May", "paid": "ten", "time": "noon", "patient": "Rosa"}


def answered(name: str, answer: dict[str, str] | None, tokens: int = 20, sample: int = -1) -> Record:
    right = sum(GOLD.get(key) == value for key, value in (answer or {}).items())
    counts = (right, len(answer or {}) - right, len(GOLD) - right)
    return Record(
        schema="bythebook.prediction/1",
        id=name,
        domain="d",
        sample=sample,
        gold=json.dumps(GOLD),
        answer=None if answer is None else json.dumps(answer),
        correct=answer == GOLD,
        counts={"key_values": counts},
        well_formed=answer is not None,
        status="ok",
        tokens=tokens,
        guideline="g",
        tags={"guideline_id": name},
    )


SHORT, LONG = {"date": "May"}, {**GOLD, "sender": "Lime", "driver": "Hugo", "doctor": "Emil", "number": "kilo"}


def test_pairs_are_those_of_the_greedy_answer() -> None:
    assert pair_counts([answered("a", LONG, sample=0), answered("a", SHORT)]) == Counts(1, 0, 3)
    assert pair_counts([answered("a", SHORT, sample=0)]) is None


def test_pooled_figures_by_hand() -> None:
    counts = [Counts(1, 0, 3), Counts(4, 4, 0)]
    assert pooled_figure(counts, "precision") == pytest.approx(5 / 9)
    assert pooled_figure(counts, "recall") == pytest.approx(5 / 8)
    assert pooled_figure(counts, "f1") == pytest.approx(10 / 17)
    assert pooled_figure([], "f1") is None


def test_a_pooled_difference_is_that_of_the_figures_and_its_interval_holds_it() -> None:
    rows = [Row(Counts(3, i % 3, 1), Counts(2, 1, 2), f"seed{i % 3}", f"g{i}") for i in range(60)]
    for quantity in ("f1", "precision", "recall"):
        found = pooled_difference(rows, quantity)
        ends = [pooled_figure([row[side] for row in rows], quantity) for side in (0, 1)]
        assert found is not None
        assert ends[0] is not None
        assert ends[1] is not None
        assert found.difference == pytest.approx(ends[0] - ends[1])
        assert found.low <= found.difference <= found.high
    same = pooled_difference([Row(c, c, s, g) for c, _, s, g in rows], "f1")
    assert same == (0.0, 0.0, 0.0)  # both arms get the same draws


def test_what_is_undefined_has_no_difference() -> None:
    nothing = [Row(Counts(0, 0, 4), Counts(1, 0, 3), "seed0", "g")]
    assert pooled_difference(nothing, "precision") is None
    assert pooled_difference([], "f1") is None
    assert pooled_difference(nothing, "recall") == (-0.25, -0.25, -0.25)


def test_a_draw_that_is_undefined_of_one_arm_breaks_the_pairs() -> None:
    rows = [Row(Counts(0, 0, 1), Counts(1, 0, 0), "s", "g0"), Row(Counts(1, 0, 0), Counts(1, 0, 0), "s", "g1")]
    assert pooled_difference(rows, "precision") is None


def test_tree_accuracy_and_length_by_hand() -> None:
    assert document_value([answered("a", GOLD)], "ted") == 1.0
    assert document_value([answered("a", None)], "ted") == 0.0
    assert document_value([answered("a", SHORT)], "ted") == pytest.approx(0.25)
    assert document_value([answered("a", SHORT, 7), answered("a", LONG, 30, sample=0)], "length") == 7.0
    assert document_value([answered("a", SHORT, sample=0)], "ted") is None


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two seeds: one arm gives one pair of four in 8 tokens, the other all of them and as many wrong ones in 30."""
    for seed in range(2):
        folder = tmp_path / "run" / f"seed{seed}"
        for arm, answer, tokens in (("precision", SHORT, 8), ("recall", LONG, 30)):
            for split in SPLITS:
                rows = [answered(f"s{seed}{i}", answer, tokens) for i in range(4)]
                write_jsonl(folder / "records" / f"{arm}.{split}.jsonl", rows)
        (folder / "size.json").write_text(json.dumps({"system": "medical_vie"}), encoding="utf-8")
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    return tmp_path / "kept"


def test_figures_of_kept_records(kept: Path) -> None:
    seeds = sorted(kept.glob("seed*"))
    assert [figure(seeds[0], "precision", "id", q) for q in ("precision", "recall", "f1")] == [1.0, 0.25, 0.4]
    assert [figure(seeds[0], "recall", "id", q) for q in ("precision", "recall")] == [0.5, 1.0]
    assert figure(seeds[0], "recall", "id", "length") == 30.0
    assert difference(seeds, "recall", "precision", "id", "length") == (22.0, 22.0, 22.0)
    found = difference(seeds, "recall", "precision", "id", "f1")
    assert found is not None
    assert found.difference == pytest.approx(2 / 3 - 0.4)
    assert figure(seeds[0], "start", "id", "f1") is None
    assert difference(seeds, "start", "recall", "id", "f1") is None


def test_lengths_are_held_against_each_other_and_know_no_ceiling(kept: Path) -> None:
    seeds = sorted(kept.glob("seed*"))
    longer = Claim("longer", "recall", ("precision",), "length", "id")
    assert found_of(longer, seeds).verdict == "confirmed"
    assert found_of(Claim("longer", "precision", ("recall",), "length", "id"), seeds).verdict == "not seen here"


def test_the_tables_have_the_columns_of_the_system_and_lengths_in_tokens(kept: Path) -> None:
    tables = results(kept)
    assert "| ID F1 | ID precision | ID recall | ID TED | ID tokens | OOD F1 |" in tables
    assert "### Figures" in tables
    assert "Avg@K" not in tables
    assert "| 30.0 [30.0, 30.0] |" in tables
    assert "– | **cannot be tested at this size**" in tables
    assert {claim["quantity"] for claim in verdicts(kept)} == {"f1", "length"}
