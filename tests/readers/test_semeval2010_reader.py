from __future__ import annotations

from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.semeval2010 import check_semeval2010, read_semeval2010

FIXTURE = Path(__file__).parents[1] / "fixtures" / "semeval2010_task8"
DATA = Path(__file__).parents[2] / "../shared/data/semeval2010_task8"
with_data = pytest.mark.skipif(not DATA.is_dir(), reason="no SemEval-2010 files beside the repository")

GOOD = '7\t"A <e1>b</e1> c <e2>d</e2>."\r\nOther\r\nComment:\r\n\r\n'


def file_of(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "TRAIN_FILE.TXT"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def faults_of(tmp_path: Path, text: str | bytes) -> list[tuple[int, str]]:
    return [(f["line"], f["message"]) for f in check_semeval2010(file_of(tmp_path, text))["faults"]]


def test_the_fixture_is_in_the_official_format() -> None:
    raw = (FIXTURE / "training" / "TRAIN_FILE.TXT").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == 40
    assert check_semeval2010(FIXTURE) == {"rows": {"train": 10, "test": 4}, "faults": []}


def test_rows_carry_text_spans_label_and_comment() -> None:
    rows = {r.number: r for r in read_semeval2010(FIXTURE)}
    first = rows[1]
    assert first.text == "The storm set off a chain of blackouts along the coast."
    assert (first.e1.of(first.text), first.e2.of(first.text)) == ("storm", "blackouts")
    assert first.label.text == "Cause-Effect(e1,e2)"
    assert (first.split, first.line, rows[2].line, rows[8001].split) == ("train", 1, 5, "test")
    assert first.comment == "an occurrence, caused indirectly"
    assert rows[2].comment == ""
    assert rows[10].label.text == "Other"


def test_exactly_one_pair_of_quotes_is_stripped() -> None:
    rows = {r.number: r for r in read_semeval2010(FIXTURE)}
    assert rows[3].text == '"Every wreath here was made by a retired florist," said the guide.'
    assert rows[9].text.endswith('called "Hives and High-rises"')


def test_adjacent_entities_keep_their_spans() -> None:
    row = next(r for r in read_semeval2010(FIXTURE) if r.number == 5)
    assert (row.e1.of(row.text), row.e2.of(row.text)) == ("almond", "milk")


def test_line_feed_alone_and_a_missing_last_line_end_are_read(tmp_path: Path) -> None:
    path = file_of(tmp_path, GOOD.replace("\r\n", "\n").rstrip("\n"))
    assert [r.number for r in read_semeval2010(path)] == [7]


def test_characters_beyond_ascii_are_one_offset_each(tmp_path: Path) -> None:
    path = file_of(tmp_path, GOOD.replace("A <", "Ä\u2028\U0001f40d\x0c <"))
    row = read_semeval2010(path)[0]
    assert (row.e1.start, row.e1.of(row.text), row.e2.of(row.text)) == (5, "b", "d")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("7\t", "7 ", 1, "a block starts with"),
        ('"A', "A", 1, "not in double quotes"),
        ("</e2>", "", 1, "each once and in this order"),
        ("<e1>b</e1>", "<e1>b</e1><e1>b</e1>", 1, "each once and in this order"),
        ("<e1>b</e1> c <e2>d</e2>", "<e2>b</e2> c <e1>d</e1>", 1, "each once and in this order"),
        ("<e1>b</e1>", "<e1> </e1>", 1, "a marked entity is empty"),
        ("Other", "Message-Topic", 2, "not one of the 19 labels: 'Message-Topic'"),
        ("Other", "Cause-Effect(e1, e2)", 2, "not one of the 19 labels"),
        ("Other", "other", 2, "not one of the 19 labels"),
        ("Comment:", "Remark:", 3, "starts with 'Comment:'"),
        ("Comment:\r\n", "", 1, "2 of 3 lines"),
        ("Comment:\r\n", "Comment:\r\nmore\r\n", 4, "text after the comment"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    text = "\r\n\r\n" + GOOD.replace(old, new, 1) + GOOD.replace("7", "8", 1)
    faults = faults_of(tmp_path, text)
    assert [f[0] for f in faults] == [line + 2]
    assert message in faults[0][1]
    assert check_semeval2010(tmp_path / "TRAIN_FILE.TXT")["rows"] == {"train": 1}
    with pytest.raises(DataError, match=rf"TRAIN_FILE\.TXT:{line + 2}: "):
        read_semeval2010(tmp_path / "TRAIN_FILE.TXT")


def test_every_fault_is_collected(tmp_path: Path) -> None:
    text = GOOD.replace("Other", "?") + GOOD + GOOD.replace("7", "9", 1).replace('"', "", 1)
    assert [line for line, _ in faults_of(tmp_path, text)] == [2, 5, 9]


def test_an_id_twice_is_a_fault_across_files(tmp_path: Path) -> None:
    for name in ("TRAIN_FILE.TXT", "TEST_FILE_FULL.TXT"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    report = check_semeval2010(tmp_path)
    assert report["rows"] == {"train": 1, "test": 0}
    assert [(Path(f["file"]).name, f["line"]) for f in report["faults"]] == [("TEST_FILE_FULL.TXT", 1)]


def test_a_missing_empty_line_is_a_fault_and_both_sentences_are_read(tmp_path: Path) -> None:
    text = GOOD.rstrip() + "\r\n" + GOOD.replace("7", "8", 1)
    assert faults_of(tmp_path, text) == [(4, "no empty line before this sentence")]
    assert check_semeval2010(tmp_path / "TRAIN_FILE.TXT")["rows"] == {"train": 2}


def test_bytes_that_are_not_utf8_are_a_fault(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, GOOD.encode().replace(b"c", b"\xff", 1))
    assert faults[0] == (1, "not UTF-8")


def test_an_empty_file_is_a_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, "") == [(1, "the file holds no sentence")]


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        read_semeval2010(tmp_path / "nowhere")
    file_of(tmp_path, GOOD)
    with pytest.raises(DataError, match=r"TEST_FILE_FULL\.TXT is missing"):
        read_semeval2010(tmp_path)


def test_two_copies_in_one_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for folder in (tmp_path, tmp_path / "old"):
        (folder / "train_file.txt").write_text(GOOD, encoding="utf-8")
    with pytest.raises(DataError, match=r"TRAIN_FILE\.TXT stands there 2 times"):
        read_semeval2010(tmp_path)


@with_data
def test_the_official_release_has_no_fault() -> None:
    assert check_semeval2010(DATA) == {"rows": {"train": 8000, "test": 2717}, "faults": []}


@with_data
def test_the_official_release_has_all_labels_and_ids() -> None:
    rows = read_semeval2010(DATA)
    assert sorted(r.number for r in rows) == list(range(1, 10718))
    assert {r.label for r in rows} == set(load_from_library("semeval2010").labels)
    assert len({r.label for r in rows}) == 18 + 1
    related = {split: sum(r.split == split and r.label.name != "Other" for r in rows) for split in ("train", "test")}
    assert related == {"train": 6590, "test": 2263}


@with_data
def test_texts_and_spans_give_the_official_lines_back() -> None:
    for name, split in (("training/TRAIN_FILE.TXT", "train"), ("testing_keys/TEST_FILE_FULL.TXT", "test")):
        lines = (DATA / name).read_bytes().decode().split("\r\n")
        for r in (r for r in read_semeval2010(DATA) if r.split == split):
            t, a, b = r.text, r.e1, r.e2
            marked = f"{t[: a.start]}<e1>{a.of(t)}</e1>{t[a.end : b.start]}<e2>{b.of(t)}</e2>{t[b.end :]}"
            assert lines[r.line - 1] == f'{r.number}\t"{marked}"'
            assert lines[r.line] == r.label.text


@with_data
def test_the_inner_quotes_of_the_release_survive() -> None:
    rows = {r.number: r for r in read_semeval2010(DATA)}
    assert rows[364].text.endswith('Hartford."')
    assert rows[629].text.startswith('"Just')


@with_data
def test_the_key_without_directions_is_refused_with_a_reason() -> None:
    report = check_semeval2010(DATA / "testing_keys" / "TEST_FILE_KEY.TXT")
    assert report["rows"] == {"TEST_FILE_KEY": 0}
    assert len(report["faults"]) > 2717
