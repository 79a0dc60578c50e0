"""The trained model annotates five sentences under a guideline; the guideline is edited; it annotates them again."""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.annotation import annotate
from bythebook.generation import load_model
from bythebook.guidelines import flip_direction, load_guideline, swap_names, write_guideline
from bythebook.records import read_jsonl
from bythebook.types import Guideline

__all__ = ["annotate_twice", "example_files"]

_EXAMPLES = Path(__file__).parents[1] / "examples"


def example_files() -> tuple[Path, Path]:
    """(guideline, sentences) that come with the package."""
    return _EXAMPLES / "guideline.md", _EXAMPLES / "sentences.jsonl"


def edit_for_demo(guideline: Guideline) -> Guideline:
    """Two labels exchanged and one clause turned round, as a person might do in an editor."""
    names = [r.name for r in guideline.relation_types]
    return flip_direction(swap_names(guideline, names[0], names[1]), names[2])


def annotate_twice(model_path: Path, run: Path) -> Path:
    """Annotate the example sentences under the guideline as written and after an edit. Writes the guideline, its
    edited twin and the sentences into `<run>/examples`, for the reader to go on with, and `annotations.json`."""
    folder = run / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    source, sentences = example_files()
    shutil.copyfile(source, folder / "guideline.md")
    shutil.copyfile(sentences, folder / "sentences.jsonl")
    written = load_guideline(folder / "guideline.md")
    changed = edit_for_demo(written)
    (folder / "guideline_edited.md").write_text(write_guideline(changed), encoding="utf-8")
    before, after = write_guideline(written), write_guideline(changed)
    diff = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "as written", "after the edit", lineterm="", n=2
    )
    texts = [str(row["text"]) for _, row in read_jsonl(sentences)]
    model = load_model(model_path)
    blocks = [
        {"title": "as written", "guideline": before, "diff": "", "rows": _rows(model, texts, written)},
        {"title": "after the edit", "guideline": after, "diff": "\n".join(diff), "rows": _rows(model, texts, changed)},
    ]
    file = run / "annotations.json"
    file.write_text(json.dumps(blocks, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def _rows(model: Any, texts: Sequence[str], guideline: Guideline) -> list[dict[str, Any]]:
    rows = []
    for text, found in zip(texts, annotate(texts, guideline, model=model), strict=True):
        rows.append(
            {
                "text": text,
                "completion": found.get("completion") or "",
                "thinking": found.get("thinking"),
                "answer": found.get("answer"),
                "warning": "; ".join(found.get("warnings") or []) or None,
            }
        )
    return rows
