from __future__ import annotations

from pathlib import Path

import pytest

from bythebook.records import append_jsonl, drop_torn_line, read_jsonl


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b'{"a": 1}\n', b'{"a": 1}\n'),
        (b'{"a": 1}\n{"a"', b'{"a": 1}\n'),
        (b'{"a": 1', b""),
        (b"\n", b"\n"),
        (b"x" * 200_000, b""),
        (b"ok\n" + b"x" * 200_000, b"ok\n"),
        (b"x" * 65_535 + b"\n" + b"y" * 65_536, b"x" * 65_535 + b"\n"),
        ("{}\né".encode()[:-1], b"{}\n"),
    ],
)
def test_only_a_last_line_without_its_break_goes(before: bytes, after: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(before)
    drop_torn_line(file)
    assert file.read_bytes() == after


def test_appending_after_a_crash_gives_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    append_jsonl(file, [{"n": 1}, {"n": 2}])
    file.write_bytes(file.read_bytes()[:-3])
    drop_torn_line(file)
    append_jsonl(file, [{"n": 3}])
    assert [row for _, row in read_jsonl(file)] == [{"n": 1}, {"n": 3}]
