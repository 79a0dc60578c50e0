"""CrossRE as a task: seventeen relations in up to six domains, pair by pair, in the official split.

A question is a pair of entities of one sentence, in the order of the text; compare, opposite, related-to and social are
symmetric (no direction in the published guideline). Gold: `tasks.pairs` says what happens to pairs with several labels;
they are left out by default. In the four domains that we have, these are 463 of 9,832 related pairs: 330 have several
types in one direction, the others one relation in each direction. (Counted by head and tail, 332 pairs stand in several
rows of the files, two of them with the same type.)

Without `unrelated` only related pairs are asked, which is relation classification; with it every other pair is asked,
too, nearly eight in ten, and its gold is `none`.

With another `sub_task` than `label`, a question is a whole sentence: see `tasks.extraction`. Its domain's entity types
are in `tasks.crossre_joint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.crossre import DOMAINS, SPLITS, check_crossre, crossre_file, read_crossre
from bythebook.readers.documents import Document
from bythebook.schema import Grammar
from bythebook.tasks.base import Task
from bythebook.tasks.crossre_joint import joint_examples, passages, undeclared
from bythebook.tasks.extraction import asked_sub_tasks, counts
from bythebook.tasks.mimic import EITHER_TARGETS
from bythebook.tasks.pairs import Several, checked_several, count_several, labelled_pairs, question, several_note
from bythebook.types import Example, Guideline

__all__ = ["TASK", "check", "guideline", "load"]


def guideline() -> Guideline:
    """Our own-words guideline of the seventeen relations."""
    return load_from_library("crossre")


def check(path: Path | str) -> dict[str, Any]:
    """`readers.crossre.check_crossre`, with what stands under `notes`: how many pairs are asked, and how many are not
    because they have several labels; and under `counts`: entities and relations. An entity of a type that its domain's
    guideline lacks is a fault."""
    found = check_crossre(path)
    if any(not fault["message"].endswith("; left out") for fault in found["faults"]):
        return found
    grammar, sentences = Grammar.of(guideline()), read_crossre(path)
    pairs = [p for rows in sentences.values() for d in rows for p in labelled_pairs(d, grammar)]
    beyond = [
        {"file": str(crossre_file(path, domain, split)), "line": line, "message": message}
        for (domain, split), documents in sentences.items()
        for line, message in undeclared(documents, domain)
    ]
    return {
        **found,
        "faults": [*found["faults"], *beyond],
        "notes": [f"{len(pairs)} related pairs; {several_note(count_several(pairs))}"],
        "counts": {f"{domain} {split}": counts(passages(d, domain)) for (domain, split), d in sentences.items()},
    }


def load(
    path: Path | str | None = None,
    domains: str | Sequence[str] | None = None,
    several: Several = "drop",
    unrelated: bool = False,
    sub_task: str | None = None,
    sub_tasks: str | Sequence[str] | None = None,
) -> dict[str, list[Example]]:
    """`train`, `dev` and `test` of the domains asked for (default: all that the folder holds), and in `ood` the test
    rows of the others.

    Ids are `crossre-<doc_key>-<entity>-<entity>`, entities numbered from 1 as in the file; an example's domain is its
    file's. `sub_task` is `label` unless said otherwise; `several` and `unrelated` have no meaning for the others.
    DataError for a fault in the files, an unknown domain or sub-task, and a domain that the folder does not hold.
    """
    if path is None:
        raise DataError("crossre reads files", remedy="give the folder crossre_data of the release with --path")
    checked_several(several)
    asked_for = asked_sub_tasks(sub_task, sub_tasks, default="label")
    found = read_crossre(path)
    there = [d for d in DOMAINS if any(domain == d for domain, _ in found)]
    wanted = there if domains is None else [domains] if isinstance(domains, str) else list(domains)
    missing = [d for d in wanted if d not in there]
    if missing or not wanted:
        named = f"no domain {missing[0]!r}" if missing else "no domain asked for"
        raise DataError(named, file=path, remedy=f"the folder holds: {', '.join(there)}")
    shown = guideline()
    grammar = Grammar.of(shown)

    def ask(documents: Sequence[Document], domain: str, split: str) -> list[Example]:
        if asked_for != ("label",):
            return joint_examples(documents, domain, split, asked_for)
        pairs = (p for d in documents for p in labelled_pairs(d, grammar, unrelated=unrelated))
        names = ((p, f"crossre-{p.document.id}-{p.first.id}-{p.second.id}") for p in pairs)
        asked = (question(p, shown, name=n, domain=domain, split=split, several=several) for p, n in names)
        return [e for e in asked if e is not None]

    splits = {s: [e for d in wanted for e in ask(found.get((d, s), []), d, s)] for s in SPLITS}
    splits["ood"] = [e for d in there if d not in wanted for e in ask(found.get((d, "test"), []), d, "ood")]
    return {name: rows for name, rows in splits.items() if rows}


TASK = Task(
    name="crossre",
    summary="CrossRE: seventeen relations in up to six domains, pair by pair",
    load=load,
    needs_path=True,
    check=check,
    targets=EITHER_TARGETS,
    licensed=True,
    in_domain=("dev", "test"),
    out_of_domain=("ood",),
)
