"""Diagnostics of joint extraction: is the direction read, and does the answer depend on what should not matter?

A model that reads schemas answers alike when their types are shown in another order or under other names. Both are
comparisons of two prediction files over the same texts, without gold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bythebook.guidelines import Renaming
from bythebook.metrics.extraction import Counts, entity_counts, relation_counts, total
from bythebook.types import Extraction

__all__ = ["agreement", "renamed", "swapped"]


def swapped(extraction: Extraction) -> Extraction:
    """Every relation with head and tail exchanged: where this scores higher, directions are read the wrong way."""
    relations = tuple(r.model_copy(update={"head": r.tail, "tail": r.head}) for r in extraction.relations)
    return extraction.model_copy(update={"relations": relations})


def renamed(extraction: Extraction, names: Mapping[str, str]) -> Extraction:
    """The same under other names of entity types and relations; a name that `names` lacks stays."""
    return Renaming(relations=names, entity_types=names).extraction(extraction)


def agreement(first: Sequence[Extraction], second: Sequence[Extraction]) -> dict[str, Any]:
    """How far two answers to each text are the same, as sets.

    `entity_f1` (text and type) and `relation_f1` (REL): one side as the gold of the other, pooled; None where neither
    has any. `identical`: the share of texts with equal sets of both. ValueError for unequal numbers.
    """
    entities: list[Counts] = []
    relations: list[Counts] = []
    for a, b in zip(first, second, strict=True):
        entities.append(entity_counts(a.entities, b.entities))
        relations.append(relation_counts(a.relations, b.relations))
    same = [not (e.fp or e.fn or r.fp or r.fn) for e, r in zip(entities, relations, strict=True)]
    return {
        "answers": len(same),
        "entity_f1": total(entities).f1,
        "relation_f1": total(relations).f1,
        "identical": sum(same) / len(same) if same else None,
    }
