"""The figures of a run against counts by hand and by another route."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from report_runs import record, write_json

from bythebook.records import PREDICTION_SCHEMA, Record, read_records, write_jsonl
from bythebook.report import edit_rows, summary_rows
from bythebook.report.rows import case_rows, file_rows
from bythebook.report.scores import item_scores, paired_difference, score_set


def _record(item: str, sample: int, answer: str | None, gold: str = "A(e1,e2)", **more: object) -> Record:
    right = answer == gold
    fields: dict[str, object] = {
        "id": item,
        "domain": "d",
        "sample": sample,
        "gold": gold,
        "answer": answer,
        "correct": right,
        "well_formed": answer is not None,
        "status": "ok" if right else "wrong" if answer else "malformed",
        "tags": {"guideline_id": item[0]},
    }
    return Record.model_validate({"schema": PREDICTION_SCHEMA, **fields, **more})


def _samples(item: str, *answers: str | None) -> list[Record]:
    return [_record(item, i, answer) for i, answer in enumerate(answers)]


@pytest.fixture
def four_items() -> list[Record]:
    """Right counts of the samples: 4, 2, 0 and 1 of 4; greedy right for the first and the last."""
    a, b, c = "A(e1,e2)", "B(e1,e2)", "C(e1,e2)"
    return [
        *_samples("x1", a, a, a, a),
        *_samples("x2", b, a, a, b),
        *_samples("y1", None, None, None, None),
        *_samples("y2", None, c, None, a),
        _record("x1", -1, a, tokens=10),
        _record("x2", -1, b, tokens=20),
        _record("y1", -1, None),
        _record("y2", -1, a),
    ]


def test_scores_of_four_items_equal_the_count_by_hand(four_items: list[Record]) -> None:
    scores = score_set(four_items, 4)
    assert scores is not None
    assert scores["items"] == 4
    assert scores["avg_at_k"] == pytest.approx(7 / 16)
    # x2 and y2 tie: the answer sampled first wins, and it is wrong in both.
    assert scores["maj_at_k"] == pytest.approx(1 / 4)
    assert scores["pass_at_k"] == pytest.approx(3 / 4)
    assert scores["greedy"] == pytest.approx(2 / 4)
    assert scores["format_rate"] == pytest.approx(10 / 16)
    assert scores["tokens"] is None
    assert scores["reward"] is None


def test_an_interval_holds_its_mean_and_needs_two_guidelines(four_items: list[Record]) -> None:
    scores = score_set(four_items, 4)
    assert scores is not None
    assert scores["avg_interval"] == (pytest.approx(1 / 8), pytest.approx(6 / 8))
    one_guideline = score_set([r for r in four_items if r.id.startswith("x")], 4)
    assert one_guideline is not None
    assert one_guideline["avg_interval"] is None


def test_items_with_too_few_samples_are_left_out(four_items: list[Record]) -> None:
    cut = [r for r in four_items if not (r.id == "y1" and r.sample == 3)]
    scores = score_set(cut, 4)
    assert scores is not None
    assert scores["items"] == 3
    assert scores["avg_at_k"] == pytest.approx(7 / 12)


def test_records_without_gold_give_no_score() -> None:
    assert score_set([_record("x", 0, None, correct=None)], 4) is None
    assert score_set([], 4) is None


def test_greedy_records_alone_give_greedy_and_format_but_no_average() -> None:
    scores = score_set([_record("x", -1, "A(e1,e2)", tokens=8), _record("y", -1, None, tokens=4)], 4)
    assert scores is not None
    assert (scores["avg_at_k"], scores["maj_at_k"], scores["pass_at_k"]) == (None, None, None)
    assert (scores["greedy"], scores["format_rate"], scores["tokens"]) == (0.5, 0.5, 6.0)


def test_the_majority_reads_the_records_own_judgement_and_not_the_texts() -> None:
    equal_by_meaning = [_record("x", i, "A(e2,e1)", correct=True) for i in range(4)]
    scores = score_set(equal_by_meaning, 4)
    assert scores is not None
    assert scores["maj_at_k"] == 1.0


def test_summary_has_every_arm_and_set(demo: Path) -> None:
    rows = summary_rows(demo)
    assert [row["arm"] for row in rows] == ["start", "rl", "sft_answers", "sft_careful", "rl_random", "rl_format"]
    for row in rows:
        for name in ("id", "ood"):
            scores = row["sets"][name]
            assert scores is not None
            drawn = [r for r in read_records(demo / "records" / f"{row['arm']}.{name}.jsonl") if r.sample >= 0]
            assert scores["avg_at_k"] == pytest.approx(sum(bool(r.correct) for r in drawn) / len(drawn))
            assert scores["avg_interval"] is not None
            low, high = scores["avg_interval"]
            assert low < scores["avg_at_k"] < high


def test_an_arm_without_records_has_none(tmp_path: Path) -> None:
    write_json(tmp_path / "demo.json", {"title": "t", "arms": [{"name": "rl", "label": "RL"}]})
    assert summary_rows(tmp_path) == [{"arm": "rl", "label": "RL", "kind": "", "sets": {"id": None, "ood": None}}]
    assert edit_rows(tmp_path) == []


def _edit(item: str, answer: str, gold: str, before: str, right_before: bool, **tags: str) -> Record:
    tags = {"gold_before": before, "correct_before": str(right_before).lower(), **tags}
    return _record(item, -1, answer, gold, tags=tags)


@pytest.fixture
def edited_run(tmp_path: Path) -> Path:
    arms = [{"name": "rl", "label": "RL"}]
    write_json(tmp_path / "demo.json", {"title": "t", "arms": arms})
    return tmp_path


def test_an_edit_is_measured_where_it_changes_the_gold(edited_run: Path) -> None:
    rows = [
        _edit("1", "B(e1,e2)", "B(e1,e2)", "A(e1,e2)", True),
        _edit("2", "A(e1,e2)", "B(e1,e2)", "A(e1,e2)", True),
        _edit("3", "C(e1,e2)", "B(e1,e2)", "A(e1,e2)", True),
        _edit("4", "B(e1,e2)", "B(e1,e2)", "A(e1,e2)", False),
        _edit("5", "Other", "Other", "Other", True),
    ]
    write_jsonl(edited_run / "records" / "rl.swapped_names.jsonl", rows)
    [row] = edit_rows(edited_run)
    assert (row["arm"], row["edit"], row["set"], row["n"]) == ("rl", "swapped_names", "", 4)
    assert (row["ordinary"], row["edited"], row["old_answer"], row["chance"]) == (0.75, 0.5, 0.25, None)
    assert row["kept"] == pytest.approx(2 / 3)


def test_the_wrong_guideline_counts_all_items_and_stands_beside_chance(edited_run: Path) -> None:
    a = "A(e1,e2)"
    rows = [_edit(str(i), a if i == 0 else "Z(e1,e2)", a, a, True, split="id" if i < 2 else "ood") for i in range(4)]
    write_jsonl(edited_run / "records" / "rl.wrong_guideline.jsonl", rows)
    inside, outside = edit_rows(edited_run)
    assert (inside["set"], inside["n"], inside["edited"], inside["chance"]) == ("id", 2, 0.5, 0.5)
    assert (outside["set"], outside["n"], outside["edited"], outside["chance"]) == ("ood", 2, 0.0, 0.0)
    assert inside["kept"] is None
    assert inside["old_answer"] is None


def test_cases_partition_the_items(demo: Path) -> None:
    rows = case_rows(demo)
    assert [row["case"] for row in rows] == ["plain", "exception_not_fired", "exception", "no_rule"]
    whole = {row["arm"]: row["sets"]["ood"] for row in summary_rows(demo)}
    for arm, scores in whole.items():
        assert scores is not None
        total = sum(row["n"] for row in rows)
        assert total == scores["items"]
        mean = sum(row["n"] * (row["arms"][arm] or 0) for row in rows) / total
        assert mean == pytest.approx(scores["avg_at_k"])


def test_one_example_at_several_steps_of_training_is_several_items(training: Path) -> None:
    rows = {row["file"]: row for row in file_rows(training)}
    assert (rows["rollouts"]["items"], rows["rollouts"]["k"]) == (38, 8)
    assert rows["test"]["avg_at_k"] is None
    assert rows["test"]["greedy"] is not None


def test_a_difference_is_paired_by_item_and_seed() -> None:
    ours = item_scores([*_samples("x1", "A(e1,e2)"), *_samples("y1", "A(e1,e2)"), *_samples("y2", None)], 1, "avg")
    theirs = item_scores([*_samples("y1", None), *_samples("y2", None)], 1, "avg")
    found = paired_difference([(ours, theirs), (ours, None)])
    assert found is not None
    assert (found.n, found.mean, found.low) == (2, 0.5, None)
    assert paired_difference([(ours, None)]) is None


def test_a_difference_over_seeds_has_an_interval_around_it() -> None:
    rng = random.Random(5)
    pairs = []
    for _ in range(3):
        better, worse = ([record(rng, i, s, p) for i in range(60) for s in range(4)] for p in (0.8, 0.4))
        pairs.append((item_scores(better, 4, "avg"), item_scores(worse, 4, "avg")))
    found = paired_difference(pairs)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.n == 180
    assert 0.2 < found.low < found.mean < found.high < 0.6
