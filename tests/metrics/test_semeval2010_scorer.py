"""The scorer by hand-computed cases and by its refusals; the official numbers are in `tests/golden`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.metrics.semeval2010 import (
    LABELS,
    OFFICIAL,
    TWO_WAY,
    UNDIRECTED,
    check_answers,
    read_answers,
    score,
    score_file,
    to_json,
)

CE12, CE21, MT12 = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Message-Topic(e1,e2)"


def write(tmp_path: Path, text: str, name: str = "answers.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_gold_against_itself_is_one_in_every_variant() -> None:
    gold = dict(enumerate(LABELS, start=1))
    for protocol in score(gold, gold).protocols:
        assert protocol.macro.f1 == protocol.micro.f1 == protocol.accuracy == protocol.coverage == 1.0


def test_a_turned_direction_is_wrong_but_for_the_undirected_variant() -> None:
    scores = score({1: CE12, 2: CE12}, {1: CE12, 2: CE21})
    assert scores.official.macro.f1 == 0.5
    assert scores.undirected.macro.f1 == 1.0
    # (2*9+1)-way: P 1/1, R 1/2; the other direction is not in the gold and has no row.
    assert scores.two_way.macro.f1 == pytest.approx(2 / 3)
    assert scores.two_way.foreign == {CE21: 1}
    assert scores.official.wrong_direction == {"Cause-Effect": 1}
    assert scores.official.confusion == {"Cause-Effect": {"Cause-Effect": 1}}


def test_other_counts_in_accuracy_and_not_in_the_averages() -> None:
    scores = score({1: "Other", 2: "Other", 3: CE12}, {1: "Other", 2: CE12, 3: CE12})
    assert scores.official.accuracy == pytest.approx(2 / 3)
    assert [s.label for s in scores.official.per_label] == ["Cause-Effect", "Other"]
    # Cause-Effect alone: P 1/2, R 1/1.
    assert scores.official.macro.f1 == pytest.approx(2 / 3)


def test_a_skipped_item_costs_recall_and_not_precision() -> None:
    scores = score({1: CE12, 2: CE12, 3: "Other", 4: MT12}, {1: CE12})
    figures = scores.official
    assert (figures.coverage, figures.accuracy) == (0.25, 1.0)
    assert (figures.accuracy_skipped_wrong, figures.accuracy_skipped_other) == (0.25, 0.5)
    assert (figures.micro.precision, figures.micro.recall) == (1.0, 1 / 3)
    # Message-Topic, never answered, counts 0 in the macro average.
    assert figures.macro.f1 == pytest.approx((2 / 3 + 0) / 2)
    assert figures.skipped == {"Cause-Effect": 1, "Message-Topic": 1, "Other": 1}


def test_undefined_figures_are_none() -> None:
    nothing = score({1: CE12}, {}).official
    assert (nothing.accuracy, nothing.coverage, nothing.micro.precision) == (None, 0.0, None)
    assert nothing.per_label[0].average.precision is None
    assert nothing.macro.f1 == 0.0
    only_other = score({1: "Other"}, {1: "Other"}).official
    assert only_other.macro.f1 is None
    assert only_other.micro.f1 is None
    empty = score({}, {}).official
    assert (empty.coverage, empty.accuracy, empty.accuracy_skipped_wrong) == (None, None, None)


def test_the_json_has_the_three_protocols() -> None:
    found = to_json(score({1: CE12, 2: "Other"}, {1: CE21, 2: "Other"}))
    assert list(found["protocols"]) == list(found["per_relation"]) == [OFFICIAL, TWO_WAY, UNDIRECTED]
    assert found["protocols"][UNDIRECTED]["f1"] == 1.0
    assert {"f1", "precision", "recall"} <= found["protocols"][OFFICIAL].keys()
    assert found["confusion"][OFFICIAL]["Cause-Effect"]["(wrong direction)"] == 1
    assert json.loads(json.dumps(found)) == found


def test_labels_and_ids_outside_are_refused_in_memory() -> None:
    with pytest.raises(DataError, match="predicted label of id 1 is none of the 19"):
        score({1: CE12}, {1: "Cause-Effect"})
    with pytest.raises(DataError, match="gold label of id 1"):
        score({1: "none"}, {})
    with pytest.raises(DataError, match="predicted id 2 is not in the gold"):
        score({1: CE12}, {2: CE12})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 Other", "not 'id<TAB>label'"),
        ("", "not 'id<TAB>label'"),
        ("x\tOther", "not 'id<TAB>label'"),
        ("-2\tOther", "not 'id<TAB>label'"),
        ("02\tOther", "not 'id<TAB>label'"),
        ("9" * 5000 + "\tOther", "not 'id<TAB>label'"),
        ("2\tOther ", "unknown label: 'Other '"),
        ("2\tother", "unknown label"),
        ("2\t_Other", "unknown label"),
        ("2\tCause-Effect(e1, e2)", "unknown label"),
        ("2\tCause-Effect (e1,e2)", "unknown label"),
        ("2\tCause-Effect(e1,e1)", "unknown label"),
        ("2\tCause-Effect", "label without direction"),
        ("1\tOther", "id 1 stands twice"),
        ("3\tOther", "id 3 is not in the gold"),
    ],
)
def test_a_bad_line_is_refused_and_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, f"1\t{CE12}\r\n{line}\r\n")
    answers, faults = check_answers(path, {1, 2})
    assert answers == {1: CE12}
    assert [f["line"] for f in faults] == [2]
    assert message in faults[0]["message"]
    with pytest.raises(DataError) as caught:
        read_answers(path, {1, 2})
    assert caught.value.line == 2
    assert len(str(caught.value)) < 500


def test_all_faults_are_in_the_message(tmp_path: Path) -> None:
    path = write(tmp_path, "1\tOther\n1\tOther\n2\t?\n")
    with pytest.raises(DataError, match=r"answers\.txt:2: id 1 stands twice; line 3: unknown label: '\?'"):
        read_answers(path)
    path = write(tmp_path, "bad\n" * 1000)
    with pytest.raises(DataError, match="and 980 more faults"):
        read_answers(path)


def test_a_file_without_an_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no answer"):
        read_answers(write(tmp_path, ""))
    with pytest.raises(DataError, match="can't be read"):
        read_answers(tmp_path / "nowhere")


def test_order_line_ends_and_a_missing_last_one_do_not_matter(tmp_path: Path) -> None:
    key = write(tmp_path, f"1\t{CE12}\n2\tOther\n3\t{MT12}\n", "key.txt")
    first = score_file(write(tmp_path, f"1\t{CE12}\n3\tOther\n"), key)
    second = score_file(write(tmp_path, f"3\tOther\r\n1\t{CE12}"), key)
    assert first == second
    assert first["protocols"][OFFICIAL]["f1"] == 0.5


def test_an_answer_for_an_unknown_id_is_named_by_its_line(tmp_path: Path) -> None:
    key = write(tmp_path, f"1\t{CE12}\n", "key.txt")
    with pytest.raises(DataError, match=r"answers\.txt:2: id 9 is not in the gold"):
        score_file(write(tmp_path, f"1\t{CE12}\n9\tOther\n"), key)
