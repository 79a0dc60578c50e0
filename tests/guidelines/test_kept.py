"""Guidelines kept beside the records of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bythebook.errors import GuidelineError
from bythebook.guidelines import (
    keep_guidelines,
    kept_guidelines,
    library_by_hash,
    library_names,
    load_from_library,
    rename_relation,
)


def test_kept_guidelines_come_back_under_their_hash(tmp_path: Path) -> None:
    first = load_from_library("semeval2010")
    second = rename_relation(first, "Cause-Effect", "Brings-About")
    keep_guidelines(tmp_path, [first])
    keep_guidelines(tmp_path, [second, first])
    assert kept_guidelines(tmp_path) == {first.hash: first, second.hash: second}
    assert [p.name for p in tmp_path.iterdir()] == ["guidelines.json"]


def test_a_folder_without_them_has_none(tmp_path: Path) -> None:
    assert kept_guidelines(tmp_path) == {}
    keep_guidelines(tmp_path / "absent", [])
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[", "guidelines.json: the whole: "),
        (b'{"x": {}}', "guidelines.json: x.title: "),
        (b"\xff", "guidelines.json: "),
    ],
)
def test_a_broken_file_is_named_and_left_alone(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "guidelines.json"
    file.write_bytes(content)
    with pytest.raises(GuidelineError) as caught:
        keep_guidelines(tmp_path, [load_from_library("semeval2010")])
    assert message in str(caught.value)
    assert file.read_bytes() == content


def test_the_library_is_known_by_hash() -> None:
    assert len(library_by_hash()) == len(library_names())
    assert library_by_hash()[load_from_library("semeval2010").hash].title == load_from_library("semeval2010").title
