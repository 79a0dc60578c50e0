from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bythebook.errors import DataError
from bythebook.records import (
    PREDICTION_SCHEMA,
    ROLLOUT_SCHEMA,
    Record,
    append_jsonl,
    drop_torn_line,
    read_jsonl,
    read_records,
    write_jsonl,
)
from bythebook.types import Verdict

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
RECORDS = st.builds(
    Record,
    schema=st.sampled_from([PREDICTION_SCHEMA, ROLLOUT_SCHEMA]),
    id=TEXT,
    domain=TEXT,
    sample=st.integers(-1, 9),
    gold=st.none() | TEXT,
    answer=st.none() | TEXT,
    correct=st.none() | st.booleans(),
    well_formed=st.booleans(),
    status=st.sampled_from(["ok", "wrong", "no_answer", "malformed", "truncated", "unscored"]),
    value=st.none() | st.floats(-9, 9),
    completion=st.none() | TEXT,
    tokens=st.none() | st.integers(0, 99),
    errors=st.lists(TEXT, max_size=3).map(tuple),
    step=st.none() | st.integers(0, 99),
    advantage=st.none() | st.floats(-9, 9),
    tags=st.dictionaries(TEXT, TEXT, max_size=3),
)


def _record(**changes: Any) -> Record:
    made = {"schema": PREDICTION_SCHEMA, "id": "a", "domain": "d", "well_formed": True, "status": "ok", **changes}
    return Record.model_validate(made)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records=st.lists(RECORDS, max_size=4))
def test_records_survive_the_file(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("records") / "r.jsonl"
    write_jsonl(file, records)
    assert read_records(file) == records
    assert file.read_text(encoding="utf-8").count("\n") == len(records)


def test_a_line_names_its_schema_and_leaves_out_what_is_not_known() -> None:
    line = json.loads(_record(value=-0.5).to_line())
    assert line["schema"] == "bythebook.prediction/1"
    assert line["value"] == -0.5
    assert not {"gold", "correct", "advantage", "step"} & set(line)


def test_a_verdict_can_be_had_again() -> None:
    record = _record(value=3.0, errors=("text_outside",))
    assert record.verdict() == Verdict(value=3.0, status="ok", errors=("text_outside",))
    assert record.verdict().correct


@pytest.mark.parametrize(
    "change",
    [{"schema": "bythebook.prediction/2"}, {"status": "fine"}, {"colour": "red"}, {"tags": {"n": 1}}],
    ids="schema status key tag".split(),
)
def test_something_else_is_no_record(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _record(**change)


def test_appending_keeps_what_is_there_and_makes_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "new" / "r.jsonl"
    append_jsonl(file, [_record(id="1")])
    append_jsonl(file, [])
    append_jsonl(file, [{"id": "é"}])
    assert [row["id"] for _, row in read_jsonl(file)] == ["1", "é"]


def test_writing_replaces_the_file_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    write_jsonl(file, [{"n": 1}])

    def broken() -> Any:
        yield {"n": 2}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_jsonl(file, broken())
    assert [row for _, row in read_jsonl(file)] == [{"n": 1}]
    write_jsonl(file, [{"n": 3}])
    assert [row for _, row in read_jsonl(file)] == [{"n": 3}]


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text('\ufeff{"a": 1}\n\n   \n{"a": "\u2028"}', encoding="utf-8")
    assert list(read_jsonl(file)) == [(1, {"a": 1}), (4, {"a": "\u2028"})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1', "not JSON"),
        (b"[1]", "one JSON object"),
        (b'"text"', "one JSON object"),
        (b"[" * 200_000, "not JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
    ],
    ids="cut list text deep long bytes".split(),
)
def test_a_bad_line_is_named(line: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(b'{"a": 1}\n\n' + line + b"\n")
    with pytest.raises(DataError, match=message) as caught:
        list(read_jsonl(file))
    # What is not UTF-8 is found a block at a time: its line is at most the bad one.
    assert caught.value.line == 3 or (message == "not UTF-8" and caught.value.line in (1, 2))
    assert caught.value.file == file


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text(_record().to_line() + '\n{"schema": "bythebook.prediction/1", "id": 3}\n')
    with pytest.raises(DataError, match=r"r.jsonl:2: not a record"):
        read_records(file)


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_what_can_not_be_opened_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        read_records(tmp_path / name)


@settings(max_examples=100, deadline=None)
@given(whole=st.lists(TEXT, max_size=4), cut=st.integers(0, 40))
def test_after_any_cut_appending_goes_on_with_whole_lines(
    whole: list[str], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("torn") / "r.jsonl"
    rows = [{"text": text} for text in whole]
    write_jsonl(file, rows)
    file.write_bytes(file.read_bytes()[: -cut or None])
    lines = file.read_bytes().count(b"\n")
    drop_torn_line(file)
    append_jsonl(file, [{"text": "next"}])
    assert [row for _, row in read_jsonl(file)] == [*rows[:lines], {"text": "next"}]
