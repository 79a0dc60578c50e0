"""The annotations of the Mental Disorders Knowledge Graph as a task, for people who hold the data: nine relations, of
which associated_with is symmetric, so seventeen labels.

Two published forms are read: a folder of brat files (`<PubMed id>.txt` and `.ann`), and SpERT JSON (one list of
tokenised sentences a file). Relations across sentences are left out, as by the original's own conversion; so are types
other than the nine. Gold: see `tasks.pairs` for pairs with several labels.

R1-RE (arXiv 2507.04642) holds out 500 of its 10,533 pairs; which, is not published. Ours: whole abstracts in seeded
random order until the test set has that share of the pairs, so that no abstract is on both sides. Files named
`…train.json`, `…dev.json` or `…valid.json`, and `…test.json` are taken as the splits that their names say.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.brat import read_brat
from bythebook.readers.documents import Document
from bythebook.readers.faults import Faults
from bythebook.readers.sentences import sentence_around
from bythebook.readers.spert import read_spert
from bythebook.schema import Grammar
from bythebook.tasks.base import Task
from bythebook.tasks.imitation import TARGETS
from bythebook.tasks.pairs import Pair, Several, checked_several, count_several, labelled_pairs, question, several_note
from bythebook.types import Example, Guideline

__all__ = ["DOMAIN", "SEED", "TASK", "check", "guideline", "load"]

DOMAIN = "mdkg"
SEED = 2025
_TEST = Fraction(500, 10533)
_NAMED = {"train": "train", "dev": "dev", "valid": "dev", "test": "test"}


def guideline() -> Guideline:
    """Our own-words guideline of the nine relations, from the published list of types."""
    return load_from_library("mdkg")


def check(path: Path | str) -> dict[str, Any]:
    """{"rows": {file stem or `brat`: sound texts}, "faults": [{"file", "line", "message"}], "notes": […]}."""
    sources, faults = _read(path)
    pairs = [p for found in sources.values() for p in _pairs(found)]
    relations = sum(len(d.relations or ()) for found in sources.values() for d in found)
    others = relations - sum(len(p.labels) for p in pairs)
    notes = [
        f"{len(pairs)} related pairs within a sentence; {several_note(count_several(pairs))}",
        f"{others} relations are not asked: across sentences, between mentions that overlap, or the same one again",
    ]
    return {**faults.beside(sources), "notes": notes}


def load(path: Path | str | None = None, several: Several = "drop", seed: int = SEED) -> dict[str, list[Example]]:
    """Examples by split, the official-like draw or the splits that file names say; see above.

    Ids are `mdkg-<text>-<entity>-<entity>`. `seed` decides the draw and has no effect on named splits. DataError for a
    fault in the files, and for files from which a set would be empty.
    """
    if path is None:
        raise DataError("mdkg reads files", remedy="give a folder of brat files, or of JSON, with --path")
    checked_several(several)
    sources, faults = _read(path)
    faults.refuse()
    shown = guideline()
    splits = {name: _NAMED.get(name.rpartition("_")[2].lower()) for name in sources}
    if set(splits.values()) >= {"train", "test"} and None not in splits.values():
        parts: dict[str, list[Pair]] = {"train": [], "dev": [], "test": []}
        for name, found in sources.items():
            parts[str(splits[name])] += _pairs(found)
    else:
        parts = _drawn([p for found in sources.values() for p in _pairs(found)], seed)
    out = {name: _examples(part, name, shown, several) for name, part in parts.items() if part}
    if not out.get("train") or not out.get("test"):
        raise DataError("too few related pairs for training and test", file=path, remedy="give all files of the data")
    return out


def _examples(pairs: Iterable[Pair], split: str, shown: Guideline, several: Several) -> list[Example]:
    asked = (
        question(
            p,
            shown,
            name=f"mdkg-{p.document.id}-{p.first.id}-{p.second.id}",
            domain=DOMAIN,
            split=split,
            several=several,
            window=sentence_around if p.document.domain == "brat" else None,
        )
        for p in pairs
    )
    return [e for e in asked if e is not None]


def _pairs(documents: Iterable[Document]) -> list[Pair]:
    """Related pairs, those of whole abstracts only within a sentence."""
    grammar = Grammar.of(guideline())
    return [p for d in documents for p in labelled_pairs(d, grammar) if _in_one_sentence(p)]


def _in_one_sentence(pair: Pair) -> bool:
    if pair.document.domain != "brat":
        return True
    first = pair.first.span
    return sentence_around(pair.document.text, first.start, first.end).end >= pair.second.span.end


def _drawn(pairs: list[Pair], seed: int) -> dict[str, list[Pair]]:
    """Whole abstracts, in random order, into test until it has its share. A sentence's abstract is the part of its
    name before the last underscore."""
    groups: dict[str, list[Pair]] = {}
    for p in pairs:
        name = p.document.id
        groups.setdefault(name if p.document.domain == "brat" else name.rpartition("_")[0] or name, []).append(p)
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    wanted, test = max(1, round(len(pairs) * _TEST)), set[str]()
    held = 0
    for name in order:
        if held >= wanted:
            break
        test.add(name)
        held += len(groups[name])
    return {
        "train": [p for name, group in groups.items() if name not in test for p in group],
        "test": [p for name, group in groups.items() if name in test for p in group],
    }


def _read(path: Path | str) -> tuple[dict[str, list[Document]], Faults]:
    """Texts by source: the stem of a JSON file, or `brat` for a folder of brat files, whose texts have that domain."""
    path = Path(path)
    faults = Faults(remedy="`bythebook data check mdkg` lists every fault")
    relations = frozenset(r.name for r in guideline().relation_types)
    if path.is_file():
        return {path.stem: read_spert(path, relations, faults)}, faults
    if not path.is_dir():
        raise DataError("no such file or folder", file=path, remedy="give a folder of brat files, or of JSON")
    if any(path.glob("*.ann")):
        found = read_brat(path, relations, faults)
        return {"brat": [d.model_copy(update={"domain": "brat"}) for d in found]}, faults
    files = sorted(path.glob("*.json"))
    if not files:
        raise DataError("no .ann and no .json file in this folder", file=path, remedy="give the unpacked annotations")
    return {file.stem: read_spert(file, relations, faults) for file in files}, faults


TASK = Task(
    name="mdkg",
    summary="Mental Disorders Knowledge Graph, its annotations (brat or SpERT JSON): nine relations",
    load=load,
    needs_path=True,
    check=check,
    targets=TARGETS,
    licensed=True,
    in_domain=("dev", "test"),
)
