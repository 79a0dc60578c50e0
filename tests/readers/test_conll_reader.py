from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError
from bythebook.readers.conll import Scheme, check_conll, read_conll, read_conll_file
from bythebook.readers.documents import Document
from bythebook.readers.faults import Faults

FIXTURE = Path(__file__).parents[1] / "fixtures" / "conll"
MENTIONS = [
    [("Clara Munk", "PER"), ("Alm", "LOC")],
    [("Salt League", "ORG"), ("Alm", "LOC"), ("Skagen", "LOC")],
    [],
    [("Oslo", "LOC"), ("Alm", "LOC"), ("Munk", "PER")],
]


def mentions(documents: list[Document]) -> list[list[tuple[str, str | None]]]:
    return [[(e.span.of(d.text), e.type) for e in d.entities] for d in documents]


def check(folder: Path, text: str | bytes, scheme: Scheme = "auto") -> list[tuple[int, str]]:
    file = folder / "x.conll"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(f["line"], f["message"]) for f in check_conll(file, scheme)["faults"]]


def test_the_same_sentences_in_three_schemes_give_the_same_mentions() -> None:
    found = read_conll(FIXTURE)
    assert list(found) == ["iob1", "iob2", "iobes"]
    for documents in found.values():
        assert mentions(documents) == MENTIONS
        assert all(d.relations is None for d in documents)
    assert [d.id for d in found["iob1"]] == ["iob1-3", "iob1-10", "iob1-19", "iob1-23"]
    assert found["iobes"][0].id == "first"
    assert found["iob2"][0].text == "Clara Munk sings in Alm ."


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "iobes"])
def test_a_scheme_can_be_given_and_is_then_checked(scheme: Scheme) -> None:
    faults = Faults()
    for name in ("iob1", "iob2", "iobes"):
        before = len(faults.rows)
        read_conll_file(FIXTURE / f"{name}.conll", faults, scheme=scheme)
        assert (len(faults.rows) > before) == (name != scheme)


def test_bilou_and_other_columns_and_carriage_returns(tmp_path: Path) -> None:
    file = tmp_path / "x.conll"
    file.write_bytes(b"1\tB-PER\tAnn\r\n2\tL-PER\tLee\r\n3\tU-LOC\tAlm\r\n")
    (document,) = read_conll(file, token=2, tag=1)["x"]
    assert mentions([document]) == [[("Ann Lee", "PER"), ("Alm", "LOC")]]


def test_a_hash_may_be_a_token_and_comments_may_stand_above_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.conll"
    file.write_text("# newdoc = 4\n# sent_id = s1\n# O\nAnn B-PER\n\n# id 77 domain=en\nAlm B-LOC\n")
    found = read_conll(file)["x"]
    assert [(d.id, d.text) for d in found] == [("s1", "# Ann"), ("77", "Alm")]


@pytest.mark.parametrize(
    ("text", "scheme", "faults"),
    [
        ("Ann B-PER\nLee PER\n", "auto", [(2, "the tag 'PER' is not O, or B")]),
        ("Ann\n", "auto", [(1, "1 columns: there is no token or no tag")]),
        ("a b\tO\n", "auto", [(1, "the token 'a b' is empty or has a space")]),
        (b"Ann B-PER\n\xff O\n", "auto", [(2, "not UTF-8")]),
        (
            "Ann B-PER\nruns O\nfar I-LOC\n",
            "auto",
            [(3, "I-LOC begins a mention, which B-LOC does in the scheme iob2")],
        ),
        ("Ann B-PER\nAlm I-LOC\n", "iob2", [(2, "I-LOC begins a mention")]),
        ("Ann B-PER\n", "iob1", [(1, "B-PER follows no mention of its type")]),
        ("Ann S-PER\n", "iob2", [(1, "S-PER is no tag of the scheme iob2")]),
        ("Ann B-PER\nLee O\n", "iobes", [(2, "the mention that B-PER began has no end before this line")]),
        ("Ann B-PER\n", "iobes", [(1, "the mention that B-PER began has no end")]),
        ("Ann S-PER\nLee E-PER\n", "iobes", [(2, "E-PER goes on with no mention that B-PER began")]),
        ("Ann B-PER\nLee E-LOC\n", "iobes", [(2, "E-LOC goes on with no mention")]),
        ("# id = a\nAnn O\n\n# id = a\nLee O\n", "auto", [(5, "the id 'a' stands in line 2 already")]),
        ("\n\n", "auto", [(1, "the file holds no sentence")]),
    ],
)
def test_every_fault_is_named_with_its_line(
    text: str | bytes, scheme: Scheme, faults: list[tuple[int, str]], tmp_path: Path
) -> None:
    found = check(tmp_path, text, scheme)
    assert [line for line, _ in found] == [line for line, _ in faults]
    assert all(message.startswith(start) for (_, message), (_, start) in zip(found, faults, strict=True))
    with pytest.raises(DataError, match=r"x\.conll:\d+: "):
        read_conll(tmp_path / "x.conll", scheme)


def test_other_sentences_than_the_faulty_one_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "x.conll"
    file.write_text("Ann B-PER\n\nLee X\nAlm B-LOC\n\nAlm B-LOC\n")
    found = check_conll(file)
    assert found["rows"] == {"x": 2}
    assert [f["line"] for f in found["faults"]] == [3]


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        read_conll(tmp_path / "x")
    with pytest.raises(DataError, match="no file of columns in this folder"):
        read_conll(tmp_path)
    with pytest.raises(DataError, match=r"no scheme 'bio'.*iob1, iob2, iobes"):
        read_conll(FIXTURE, "bio")  # type: ignore[arg-type]


def _tags(size: int, spans: list[tuple[int, int, str]], scheme: str) -> list[str]:
    tags, before = ["O"] * size, ""
    ended = -1
    for first, last, kind in spans:
        for i in range(first, last + 1):
            if scheme == "iobes":
                prefix = "S" if first == last else "B" if i == first else "E" if i == last else "I"
            elif scheme == "iob2":
                prefix = "B" if i == first else "I"
            else:
                prefix = "B" if i == first and ended == first - 1 and before == kind else "I"
            tags[i] = f"{prefix}-{kind}"
        ended, before = last, kind
    return tags


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", "", "A", "B"])), min_size=1, max_size=8),
    scheme=st.sampled_from(["iob1", "iob2", "iobes"]),
)
def test_what_is_written_in_a_scheme_is_read_back(
    parts: list[tuple[int, str]], scheme: Scheme, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spans, at = [], 0
    for length, kind in parts:
        if kind:
            spans.append((at, at + length - 1, kind))
        at += length
    file = tmp_path_factory.mktemp("columns") / "x.conll"
    tags = _tags(at, spans, scheme)
    file.write_text("".join(f"t{i} {tag}\n" for i, tag in enumerate(tags)))
    (document,) = read_conll(file, scheme)["x"]
    expected = [(" ".join(f"t{i}" for i in range(a, b + 1)), kind) for a, b, kind in spans]
    assert mentions([document]) == [expected]


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=60) | st.text("BI-ESXO \t\n#=", max_size=40).map(str.encode))
def test_any_file_is_read_or_has_a_fault(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("columns") / "x.conll"
    file.write_bytes(raw)
    found = check_conll(file)
    assert found["rows"]["x"] or found["faults"]
