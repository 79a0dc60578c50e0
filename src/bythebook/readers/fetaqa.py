"""FeTaQA as released (L. Nan et al., TACL 2022, arXiv 2104.00369): one JSON object a line.

    {"feta_id": 2275, "table_page_title": "…", "table_section_title": "…", "table_array": [["Year", …], ["2013", …], …],
     "question": "…", "answer": "…", …}

The first row of `table_array` is the header. Further keys, among them the cells that support the answer, are passed
over. The split is the last word of the file's name: `fetaQA-v1_{train,dev,test}.jsonl`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bythebook.errors import said
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows
from bythebook.readers.table_questions import TableQuestion, flat_table

__all__ = ["is_fetaqa", "read_fetaqa"]

_SPLITS = ("train", "dev", "test")


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)

    feta_id: int
    table_page_title: str
    table_section_title: str = ""
    table_array: list[list[str]]
    question: str
    answer: str


def is_fetaqa(path: Path) -> bool:
    """Whether a path is the folder of a release, or one of its files."""
    return bool(_files(path))


def read_fetaqa(path: Path, faults: Faults) -> dict[str, list[TableQuestion]]:
    """The questions of a release's folder or of one of its files, by split; ids are `feta_id`. Faults are added with
    their line; DataError if a file can't be read."""
    return {split: _questions(file, faults) for split, file in _files(path).items()}


def _files(path: Path) -> dict[str, Path]:
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl"))
    found = {f.stem.rpartition("_")[2]: f for f in files if f.stem.lower().startswith("fetaqa")}
    return {split: found[split] for split in _SPLITS if split in found}


def _questions(file: Path, faults: Faults) -> list[TableQuestion]:
    out: list[TableQuestion] = []
    lines: dict[int, int] = {}
    for line, row in json_rows(file, _Row, faults):
        if row.feta_id in lines:
            faults.add(file, line, f"feta_id {row.feta_id} stands on line {lines[row.feta_id]}, too")
            continue
        lines[row.feta_id] = line
        title = " – ".join(part for part in (row.table_page_title.strip(), row.table_section_title.strip()) if part)
        try:
            table = flat_table(row.table_array, title)
            asked = TableQuestion(
                id=str(row.feta_id), table=table, question=row.question, kind="text", answers=(row.answer,)
            )
        except ValueError as error:
            faults.add(file, line, said(error) if isinstance(error, ValidationError) else str(error))
        else:
            out.append(asked)
    return out
