from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.records import digest_of, keep_lines, write_text
from bythebook.tasks.world import examples

LINES = ['{"step":1, "x": "é"}\n', '{"step": 2}\n', "\n", '{ "step": 3 }\n']


@pytest.mark.parametrize(
    ("last", "left"), [(0, []), (1, [0]), (2, [0, 1]), (3, [0, 1, 3])], ids="none one two all".split()
)
@pytest.mark.parametrize("torn", ["", '{"step": 1', '{"x": "\u00e9'], ids="whole torn mid-word".split())
def test_wanted_lines_stay_byte_by_byte(last: int, left: list[int], torn: str, tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes("".join([*LINES, torn]).encode()[: None if not torn else -1])
    keep_lines(file, lambda row: row["step"] <= last)
    assert file.read_bytes() == "".join(LINES[i] for i in left).encode()
    assert list(tmp_path.iterdir()) == [file]


def test_a_line_that_is_not_json_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text('{"step": 1}\nnonsense\n{"step": 2}\n')
    with pytest.raises(DataError, match=r"r\.jsonl:2: not JSON"):
        keep_lines(file, lambda row: False)
    assert file.read_text().count("\n") == 3


def test_a_text_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    write_text(file, "vor\n")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "nach\n\ud800")
    assert file.read_text() == "vor\n"
    write_text(file, "nähe\n")
    assert file.read_bytes() == "nähe\n".encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[1:],
        lambda rows: rows[::-1],
        lambda rows: [rows[0].model_copy(update={"text": rows[0].text + "."}), *rows[1:]],
        lambda rows: [rows[0].model_copy(update={"gold": None}), *rows[1:]],
        lambda rows: [rows[0].model_copy(update={"guideline": rows[-1].guideline}), *rows[1:]],
    ],
    ids="fewer order text gold guideline".split(),
)
def test_the_digest_tells_examples_apart(change: Callable[[list[Any]], list[Any]]) -> None:
    rows = examples("ood", 9, seed=2)
    assert digest_of(rows) == digest_of(examples("ood", 9, seed=2))
    assert digest_of(change(rows)) != digest_of(rows)
