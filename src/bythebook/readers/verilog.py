"""Descriptions of circuits with reference modules, as VerilogEval and RTLLM are released.

VerilogEval 2 (N. Pinckney et al. 2024, arXiv 2408.11053), a folder of files, three a problem:

    Prob001_zero_prompt.txt   Prob001_zero_ref.sv   Prob001_zero_test.sv

The reference is called RefModule, what is asked for TopModule. VerilogEval 1 (M. Liu et al. 2023, arXiv 2309.07544), in
JSON lines, of which descriptions may stand in files of their own:

    {"task_id": "zero", "prompt": "module top_module(…);", "canonical_solution": "… endmodule", "test": "…"}
    {"task_id": "zero", "detail_description": "…"}

RTLLM (Y. Lu et al. 2023, arXiv 2308.05345), a folder a design at any depth, with `design_description.txt`,
`testbench.v` and the reference `verified_<name>.v`; the description names the module.

Test benches of the benchmarks are not read: candidates are compared with the reference (`hardware.equivalence`).
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows
from bythebook.types import Noun

__all__ = ["Circuit", "read_rtllm", "read_verilog_eval"]

_PROMPT, _REFERENCE = "_prompt.txt", "_ref.sv"
_DESCRIPTION = "design_description.txt"
_TOP = {1: "top_module", 2: "TopModule"}
_NAME = re.compile(r"module\s+name\s*[:：]?\s*`?([A-Za-z_]\w*)", re.IGNORECASE)
_EVAL_REMEDY = "give the folder of Prob…_prompt.txt and Prob…_ref.sv, or the JSON lines of version 1"
_RTLLM_REMEDY = f"a design is a folder with {_DESCRIPTION} and verified_….v"


class Circuit(Noun):
    """A circuit to be written."""

    id: str
    description: str
    top: str
    """The name that the module has to have."""
    reference: str
    """Its source, under a name of its own."""
    category: str = "circuits"


class _Row(BaseModel):
    """A row of version 1: a problem, a description, or both."""

    model_config = ConfigDict(extra="ignore")

    task_id: str = Field(min_length=1)
    prompt: str | None = None
    canonical_solution: str | None = None
    detail_description: str | None = None
    simple_description: str | None = None


def read_verilog_eval(path: Path | str, faults: Faults) -> list[Circuit]:
    """The problems of a folder or a file, in order. Faults are added; DataError if nothing can be read at all."""
    faults.remedy = _EVAL_REMEDY
    path = Path(path)
    prompts = sorted(path.glob(f"*{_PROMPT}")) if path.is_dir() else []
    if prompts:
        return [circuit for file in prompts if (circuit := _of_files(file, faults)) is not None]
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl"))
    if not files:
        what = "there is no problem in this folder" if path.is_dir() else "no such file or folder"
        raise DataError(what, file=path, remedy=_EVAL_REMEDY)
    return _of_rows(files, faults)


def _of_files(prompt: Path, faults: Faults) -> Circuit | None:
    """A problem of version 2."""
    name = prompt.name.removesuffix(_PROMPT)
    reference = prompt.with_name(f"{name}{_REFERENCE}")
    if not reference.is_file():
        faults.add(prompt, 1, f"there is no {reference.name} beside it")
        return None
    asked, code = _text(prompt, faults), _text(reference, faults)
    if not asked or not code:
        return None
    return Circuit(id=name, description=asked, top=_TOP[2], reference=code)


def _of_rows(files: list[Path], faults: Faults) -> list[Circuit]:
    """The problems of version 1."""
    problems: dict[str, tuple[Path, int, _Row]] = {}
    told: dict[str, str] = {}
    for file in files:
        for line, row in json_rows(file, _Row, faults):
            described = row.detail_description or row.simple_description
            if described:
                told[row.task_id] = described.strip()
            if row.prompt is None or row.canonical_solution is None:
                if not described:
                    faults.add(file, line, "neither a problem with its solution nor a description")
            elif row.task_id in problems:
                faults.add(file, line, f"the problem {row.task_id!r} stands on line {problems[row.task_id][1]}, too")
            else:
                problems[row.task_id] = file, line, row
    if not problems and not faults.rows:
        faults.add(files[0], 1, "the file holds no problem")
    return [
        Circuit(
            id=name,
            description=f"{told[name]}\n\n{row.prompt}" if name in told else str(row.prompt),
            top=_TOP[1],
            reference=f"{row.prompt}\n{row.canonical_solution}",
        )
        for name, (_, _, row) in problems.items()
    ]


def read_rtllm(path: Path | str, faults: Faults) -> list[Circuit]:
    """The designs of a folder, by their place in it. Faults are added; DataError if there is none."""
    faults.remedy = _RTLLM_REMEDY
    path = Path(path)
    files = sorted(path.rglob(_DESCRIPTION)) if path.is_dir() else []
    if not files:
        raise DataError("there is no design in this folder", file=path, remedy=_RTLLM_REMEDY)
    return [circuit for file in files if (circuit := _of_design(path, file, faults)) is not None]


def _of_design(root: Path, description: Path, faults: Faults) -> Circuit | None:
    folder = description.parent
    references = sorted(folder.glob("verified_*.v"))
    if len(references) != 1:
        faults.add(description, 1, f"{len(references)} files verified_….v beside it")
        return None
    asked, code = _text(description, faults), _text(references[0], faults)
    named = _NAME.search(asked)
    if asked and named is None:
        faults.add(description, 1, "it does not say how the module is called")
    if not code or named is None:
        return None
    place = folder.relative_to(root).parts
    return Circuit(
        id="/".join(place) or folder.name,
        description=asked,
        top=named[1],
        reference=code,
        category=place[0].lower() if len(place) > 1 else "circuits",
    )


def _text(file: Path, faults: Faults) -> str:
    """The text of a file; empty, with a fault, where there is none."""
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        faults.add(file, 1, "can't be read as UTF-8")
        return ""
    if not text:
        faults.add(file, 1, "the file is empty")
    return text
