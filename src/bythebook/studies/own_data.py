"""A team's own documents, from one file to train, dev and test; and a small corpus to try it with."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bythebook.errors import DataError, InputError
from bythebook.guidelines import write_guideline
from bythebook.readers.documents import Document, document_files, document_rows, read_documents
from bythebook.readers.near_duplicates import near_duplicate_groups
from bythebook.readers.splits import stratified_split
from bythebook.records import write_jsonl, write_text
from bythebook.tasks.documents import guideline_in, guideline_of, pair_examples
from bythebook.types import Guideline

__all__ = ["print_split", "split_documents", "write_example"]

_UNANNOTATED = "rest"
_EXAMPLE = ("guideline.md", "sentences.jsonl", "rest.jsonl")


def write_example(folder: Path) -> list[Path]:
    """Write a guideline, forty annotated sentences and twelve that are not into a folder. InputError if a file of that
    name is there."""
    taken = [folder / name for name in _EXAMPLE if (folder / name).exists()]
    if taken:
        raise InputError("the file is there already", file=taken[0], remedy="choose another folder")
    was_there = folder.exists()
    _make(folder)
    source = resources.files("bythebook").joinpath("examples/own_data")
    try:
        for name in _EXAMPLE:
            write_text(folder / name, source.joinpath(name).read_text(encoding="utf-8"))
    except OSError:
        for name in _EXAMPLE:
            (folder / name).unlink(missing_ok=True)
        if not was_there:
            folder.rmdir()
        raise
    return [folder / name for name in _EXAMPLE]


def split_documents(
    path: Path,
    output: Path,
    guideline: Guideline | Path | str | None = None,
    *,
    dev: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
) -> dict[str, Any]:
    """Split annotated documents by document, with near-duplicate texts on one side and every label in every part as
    far as it goes. Without `guideline`, the one beside the data is taken.

    Writes `train.jsonl`, `dev.jsonl`, `test.jsonl` and the guideline into `output`, which must not hold anything, and
    the rows that nobody annotated into its folder `rest`; the folder appears whole or not at all. Returns (also in
    `split.json`) `{"seed", "near_duplicates", "splits": {name: {"documents", "questions", "labels": {label: n}}},
    "rest": n}`, where near duplicates are counted in texts, and the rest in rows that nobody annotated.
    DataError for a fault in the rows, shares out of range, and a part that would be empty.
    """
    if not (dev >= 0 and test >= 0 and dev + test < 1):
        raise DataError(f"shares {dev} and {test} leave nothing to train on", remedy="--dev 0.15 --test 0.15")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError("there is something here already", file=output, remedy="choose another --output")
    guideline = guideline or guideline_in(path if path.is_dir() else path.parent)
    if guideline is None:
        raise DataError("a split needs a guideline: it says what the labels are", file=path, remedy="--guideline FILE")
    book = guideline_of(guideline)
    documents, rows = _read(path, book)
    annotated = [d for d in documents if d.relations is not None]
    parts, twins = _split(annotated, book, {"train": 1 - dev - test, "dev": dev, "test": test}, seed)
    for name, part in parts.items():
        if not part:
            remedy = "annotate more rows, or give other shares with --dev and --test"
            raise DataError(f"{len(annotated)} annotated rows leave {name} empty", file=path, remedy=remedy)
    rest = [d for d in documents if d.relations is None]
    found = {
        "seed": seed,
        "near_duplicates": twins,
        "splits": {name: _described(part, book) for name, part in parts.items()},
        _UNANNOTATED: len(rest),
    }
    files = {f"{name}.jsonl": [rows[d.id] for d in part] for name, part in parts.items()}
    if rest:
        files[f"{_UNANNOTATED}/rest.jsonl"] = [rows[d.id] for d in rest]
    _write(output, files, book, found)
    return found


def _read(path: Path, guideline: Guideline) -> tuple[list[Document], dict[str, dict[str, Any]]]:
    """Every document of a file or folder, and its row by id."""
    documents: list[Document] = []
    rows: dict[str, dict[str, Any]] = {}
    for file in document_files(path):
        documents += read_documents(file, guideline)
        for name, row in document_rows(file):
            if name in rows:
                raise DataError(f"the id {name!r} stands in another file already", file=file)
            rows[name] = row
    return documents, rows


def _write(output: Path, files: dict[str, list[dict[str, Any]]], guideline: Guideline, found: dict[str, Any]) -> None:
    """All of it, or nothing: put together under another name and renamed."""
    staging = output.with_name(f".part-{output.name}")
    shutil.rmtree(staging, ignore_errors=True)
    _make(staging)
    try:
        for name, rows in files.items():
            write_jsonl(staging / name, rows)
        write_text(staging / "guideline.md", write_guideline(guideline))
        write_text(staging / "split.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        if output.exists():
            output.rmdir()
        staging.rename(output)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"can't be made: {error.strerror}", file=folder, remedy="choose another folder") from None


def _labels(document: Document, guideline: Guideline) -> Counter[str]:
    return Counter(e.gold.text for e in pair_examples(document, guideline) if e.gold)


def _split(
    documents: Sequence[Document], guideline: Guideline, shares: dict[str, float], seed: int
) -> tuple[dict[str, list[Document]], int]:
    """The parts with a share above 0, and how many texts have a near duplicate."""
    groups = near_duplicate_groups([d.text for d in documents])
    wanted = {name: share for name, share in shares.items() if share > 0}
    indices = stratified_split([_labels(d, guideline) for d in documents], groups, wanted, seed)
    parts = {name: [documents[i] for i in part] for name, part in indices.items()}
    return parts, sum(len(g) for g in groups if len(g) > 1)


def _described(documents: Sequence[Document], guideline: Guideline) -> dict[str, Any]:
    questions = [e for d in documents for e in pair_examples(d, guideline)]
    labels = sum((_labels(d, guideline) for d in documents), Counter[str]())
    order = [label.text for label in guideline.labels]
    return {
        "documents": len(documents),
        "questions": len(questions),
        "labels": {name: labels[name] for name in order if labels[name]},
    }


def print_split(found: dict[str, Any], output: Path) -> None:
    """One line a label and one column a part."""
    parts = found["splits"]
    table = Table(box=None, padding=(0, 2))
    for column in ("", *parts):
        table.add_column(column, justify="left" if not column else "right")
    for key in ("documents", "questions"):
        table.add_row(key, *(str(part[key]) for part in parts.values()))
    names = dict.fromkeys(name for part in parts.values() for name in part["labels"])
    for name in names:
        table.add_row(f"  {name}", *(str(part["labels"].get(name, 0)) for part in parts.values()))
    console = Console(soft_wrap=True)
    console.print(table)
    if found["near_duplicates"]:
        console.print(f"{found['near_duplicates']} texts are near duplicates of another; each stays with its like")
    if found[_UNANNOTATED]:
        console.print(f"{found[_UNANNOTATED]} rows without annotation: {output / _UNANNOTATED / 'rest.jsonl'}")
    console.print(f"written to {output}, with the guideline beside them", highlight=False)
