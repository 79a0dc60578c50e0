"""SemEval-2010 Task 8 as a task: the official files under our own-words guideline, in three splits.

- `official`: training 8,000 and test 2,717, `Other` included; there is no official development split.
- `r1re`: both pooled, `Other` dropped, 500 drawn for test, 8,353 left for training (arXiv 2507.04642, experimental
  setup; how its 500 were drawn is not published, so ours is a seeded draw). Not comparable with the official score.
- `grouped`: both pooled, `Other` kept, near-duplicate sentences on one side; test and development sets of official
  test size and a tenth of the official training size.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.metrics.semeval2010 import OTHER, read_answers, score, to_json
from bythebook.readers.near_duplicates import near_duplicate_groups
from bythebook.readers.semeval2010 import Semeval2010Row, check_semeval2010, read_semeval2010
from bythebook.tasks.base import Task
from bythebook.tasks.imitation import TARGETS, answer_only
from bythebook.types import Entity, Example, Guideline

__all__ = [
    "DOMAIN",
    "SEED",
    "SPLITS",
    "TASK",
    "Split",
    "answer_number",
    "check",
    "gold_answers",
    "guideline",
    "load",
    "near_duplicates",
    "read_gold",
    "roles_reasoning",
    "score_answers",
]

Split = Literal["official", "r1re", "grouped"]
SPLITS: tuple[Split, ...] = get_args(Split)
SEED = 2010
"""Of the draws of `r1re` and `grouped`."""
DOMAIN = "semeval2010"

_R1RE_TEST = Fraction(500, 8853)
_GROUPED = {"test": Fraction(2717, 10717), "dev": Fraction(800, 10717)}


def guideline() -> Guideline:
    """Our own-words guideline of the nine relations."""
    return load_from_library("semeval2010")


def check(path: Path | str) -> dict[str, Any]:
    """{"rows": {"train": …, "test": …}, "faults": [{"file", "line", "message"}]} of the release folder."""
    return check_semeval2010(path)


def load(path: Path | str | None = None, split: Split = "official", seed: int = SEED) -> dict[str, list[Example]]:
    """Examples by split name: `train` and `test`, for `grouped` also `dev`; each list in the order of the ids.

    Ids are `semeval2010-<official number>`; `meta` holds the official split, and the draw with its seed where one was
    made. Sets keep their proportions on files of another size. `seed` has no effect on `official`. DataError for a
    fault in the files, an unknown split, and files from which a set would be empty.
    """
    if path is None:
        raise DataError("semeval2010 reads files", remedy="give the folder of the release with --path")
    rows = read_semeval2010(path)
    if split == "official":
        parts = {name: [r for r in rows if r.split == name] for name in ("train", "test")}
    elif split == "r1re":
        parts = _r1re(rows, seed)
    elif split == "grouped":
        parts = _grouped(rows, seed)
    else:
        raise DataError(f"no split {split!r}", file=path, remedy=f"splits are: {', '.join(SPLITS)}")
    empty = [name for name, part in parts.items() if not part]
    if empty:
        remedy = "give the folder of the release, with training and test files"
        raise DataError(f"the {split} split leaves {' and '.join(empty)} without a sentence", file=path, remedy=remedy)
    draw = {} if split == "official" else {"draw": f"{split}, seed {seed}"}
    shown = guideline()
    return {name: [_example(r, name, shown, draw) for r in _by_number(part)] for name, part in parts.items()}


def _by_number(rows: Iterable[Semeval2010Row]) -> list[Semeval2010Row]:
    return sorted(rows, key=lambda r: r.number)


def _example(row: Semeval2010Row, split: str, shown: Guideline, draw: Mapping[str, str]) -> Example:
    return Example(
        id=f"semeval2010-{row.number}",
        text=row.text,
        entities=(Entity(id="e1", span=row.e1), Entity(id="e2", span=row.e2)),
        gold=row.label,
        guideline=shown,
        domain=DOMAIN,
        split=split,
        meta={"official_split": row.split, **draw},
    )


def _r1re(rows: list[Semeval2010Row], seed: int) -> dict[str, list[Semeval2010Row]]:
    pool = _by_number(r for r in rows if r.label.name != OTHER)
    held_out = random.Random(seed).sample(range(len(pool)), round(len(pool) * _R1RE_TEST) or min(len(pool), 1))
    test = set(held_out)
    return {
        "train": [r for i, r in enumerate(pool) if i not in test],
        "test": [r for i, r in enumerate(pool) if i in test],
    }


def near_duplicates(rows: list[Semeval2010Row]) -> list[list[Semeval2010Row]]:
    """Groups of two or more near-duplicate sentences (half of the word triples in common, or eight words in a row)."""
    groups = near_duplicate_groups([r.text for r in rows])
    return [[rows[i] for i in group] for group in groups if len(group) > 1]


def _grouped(rows: list[Semeval2010Row], seed: int) -> dict[str, list[Semeval2010Row]]:
    """Whole groups in random order; each goes to the first set that still has room for all of it."""
    pool = _by_number(rows)
    groups = near_duplicate_groups([r.text for r in pool])
    random.Random(seed).shuffle(groups)
    room = {name: round(len(pool) * share) or 1 for name, share in _GROUPED.items()}
    parts: dict[str, list[Semeval2010Row]] = {"train": [], "dev": [], "test": []}
    for group in groups:
        name = next((n for n in room if len(parts[n]) + len(group) <= room[n]), "train")
        parts[name].extend(pool[i] for i in group)
    return parts


# ----------------------------------------------------------------------------------------------------------- scoring


def answer_number(example_id: str) -> int:
    """The official number in an id `semeval2010-<n>`. DataError for another id."""
    prefix, _, number = example_id.rpartition("-")
    if prefix != "semeval2010" or not (number.isascii() and number.isdigit() and len(number) <= 12):
        raise DataError(f"not an id of this task: {example_id[:60]!r}", remedy="ids are semeval2010-<n>")
    return int(number)


def gold_answers(examples: Iterable[Example]) -> dict[int, str]:
    """official number → gold label text, as `metrics.semeval2010.score` takes it. DataError for one without gold."""
    out = {}
    for example in examples:
        if example.gold is None:
            raise DataError(f"example {example.id} has no gold")
        out[answer_number(example.id)] = example.gold.text
    return out


def read_gold(path: Path | str) -> dict[int, str]:
    """official number → label, from the release folder (its test part), a file of blocks, or `id<TAB>label` lines."""
    path = Path(path)
    if path.is_dir():
        return {r.number: r.label.text for r in read_semeval2010(path) if r.split == "test"}
    try:
        with open(path, "rb") as handle:
            blocks = b'\t"' in handle.readline(1 << 16)
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    if blocks:
        return {r.number: r.label.text for r in read_semeval2010(path)}
    return read_answers(path)


def score_answers(answers: Path | str, gold: Path | str) -> dict[str, Any]:
    """The official scores of an `id<TAB>label` file, as `metrics.semeval2010.to_json`; `gold` as in `read_gold`."""
    key = read_gold(gold)
    return to_json(score(key, read_answers(answers, key)))


def roles_reasoning(example: Example, rng: random.Random) -> str:
    """What an annotator decides before the label: which mention is which argument of the definition that fits.

    The arguments are the halves of the relation's name. No word of the sentence is repeated: a model from scratch would
    spend nearly all of its loss on copying. DataError if there is no gold.
    """
    answer = answer_only(example, rng)
    gold = example.gold
    if gold is None or gold.direction is None:
        return f"<think>no definition fits</think>{answer}"
    head, tail = ("e1", "e2") if gold.direction == "(e1,e2)" else ("e2", "e1")
    first, _, second = gold.name.partition("-")
    return f"<think>{first} is {head}, {second} is {tail}</think>{answer}"


TASK = Task(
    name="semeval2010",
    summary="SemEval-2010 Task 8: nine directed relations between nominals, or Other",
    load=load,
    needs_path=True,
    check=check,
    score=score_answers,
    licensed=True,
    targets={**TARGETS, "roles": roles_reasoning},
    in_domain=("dev", "test"),
)
