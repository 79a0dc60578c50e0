"""Documents read into JSON under keys with descriptions: one's own, from JSONL (`readers.key_values`).

The keys are the guideline (`schema.key_values`), the lines are the text. `keys: subset` asks in training for a random
part of the keys that a document states, `declared` for one of all keys (`tasks.key_sampling`); `images` shows the scans
in the place of the lines.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import JsonValue

from bythebook.errors import DataError, RecipeError
from bythebook.metrics.key_values import flatten, pruned
from bythebook.readers.faults import Faults
from bythebook.readers.key_values import KeyedDocument, read_keyed_documents
from bythebook.schema.key_values import key_guideline
from bythebook.tasks.base import Task
from bythebook.tasks.key_sampling import with_key_subsets
from bythebook.tasks.shown import file_picture
from bythebook.types import Example

__all__ = ["TASK", "AskedKeys", "asked_keys", "check", "document_example", "load", "values_alone", "values_with_lines"]

AskedKeys = Literal["all", "subset", "declared"]


def load(
    path: Path | str | None, keys: AskedKeys = "all", draws: int = 1, seed: int = 0, images: bool = False
) -> dict[str, list[Example]]:
    """One document a row; the name of a file is its split, and that of a single one `train`.

    With `keys` `subset` or `declared` every document of `train` is asked `draws` times for some of its keys. With
    `images` the scans are shown, without it the lines. DataError names file and line of the first fault, the missing
    path, or the first document that has no scan, or no lines.
    """
    if path is None:
        raise DataError("the task key_values reads a path", remedy="--path FILE.jsonl")
    faults = Faults()
    found = read_keyed_documents(path, faults)
    faults.refuse()
    if Path(path).is_file():
        found = {"train": found[Path(path).stem]}
    rows = {
        split: [_shown(document_example(d, "key_values", split), d, images) for d in documents]
        for split, documents in found.items()
    }
    return asked_keys(rows, keys, draws, seed)


def _shown(example: Example, document: KeyedDocument, images: bool) -> Example:
    """The example with its scan, or with its lines alone."""
    if not images:
        if not document.lines:
            raise DataError(f"document {document.id} has no lines", remedy="set data.options.images, or give its lines")
        return example
    if document.image is None:
        raise DataError(f"document {document.id} has no image", remedy='name its scan: "image": "scan.png"')
    return example.model_copy(update={"meta": {**example.meta, **file_picture(document.image)}})


def check(path: Path | str) -> dict[str, Any]:
    """Every fault of every row."""
    faults = Faults()
    return faults.beside(read_keyed_documents(path, faults))


def document_example(document: KeyedDocument, task: str, split: str) -> Example:
    """The question that a document is."""
    guideline = key_guideline(document.key_schema, title=document.title, domain=document.domain)
    return Example(
        id=f"{task}-{split}-{document.id}",
        text="\n".join(document.lines),
        guideline=guideline,
        domain=document.domain,
        split=split,
        meta={"guideline_id": f"{split}/{document.id}"},  # questions about one document are no independent ones
        sub_task="key_values",
        reference=None if document.values is None else json.dumps(document.values, ensure_ascii=False),
    )


def asked_keys(rows: Mapping[str, list[Example]], keys: str, draws: int, seed: int) -> dict[str, list[Example]]:
    """The option `keys` of a task, which changes the split `train` alone. RecipeError for a value that there is not,
    and for less than one draw."""
    if keys not in get_args(AskedKeys):
        raise RecipeError(f"keys: {keys!r}", remedy=f"choose one of {', '.join(get_args(AskedKeys))}")
    if draws < 1:
        raise RecipeError(f"draws: {draws}", remedy="ask at least once")
    if keys == "all":
        return dict(rows)
    return {
        split: with_key_subsets(examples, seed, draws, declared=keys == "declared") if split == "train" else examples
        for split, examples in rows.items()
    }


def values_alone(example: Example, _: random.Random) -> str:
    """The values without reasoning. DataError where there are none."""
    return f"<answer>{json.dumps(_values(example), ensure_ascii=False)}</answer>"


def values_with_lines(example: Example, rng: random.Random, read: Callable[[str], str] = str.strip) -> str:
    """The values after the lines that state them: for each value, and for each item of a list, the first line that has
    it, letter by letter once `read` has mended the line. What no line has is named alone."""
    lines = example.text.split("\n")
    values = _values(example)
    notes = [f"{name}: {_stating(lines, texts, read)}".rstrip(": ") for name, texts in _statements(values)]
    thinking = "\n".join(notes)
    return f"<think>{thinking}</think>{values_alone(example, rng)}"


def _statements(values: Mapping[str, JsonValue]) -> Iterator[tuple[str, list[str]]]:
    """(name, texts) of every outermost value, and of every item of an outermost list."""
    for key, value in values.items():
        named = [(f"{key}[{place}]", item) for place, item in enumerate(value)] if isinstance(value, list) else None
        for name, item in named or [(key, value)]:
            yield name, list(flatten(item).values())


def _stating(lines: Sequence[str], texts: Sequence[str], read: Callable[[str], str]) -> str:
    """The first line that has all the texts, none of them inside of a word; empty where there is none."""
    wanted = [re.compile(rf"(?<!\w){re.escape(text)}(?!\w)") for text in texts]
    return next((line.strip() for line in lines if all(w.search(read(line)) for w in wanted)), "")


def _values(example: Example) -> dict[str, Any]:
    """The gold without empty values."""
    if example.reference is None:
        raise DataError(f"example {example.id} has no values", remedy="fine-tuning needs answers")
    found = pruned(json.loads(example.reference))
    return found if isinstance(found, dict) else {}


TASK = Task(
    name="key_values",
    summary="documents read into JSON under keys with descriptions, from JSONL",
    load=load,
    needs_path=True,
    check=check,
    targets={"answer": values_alone, "lines": values_with_lines},
    in_domain=("test", "dev"),
    out_of_domain=("ood",),
)
