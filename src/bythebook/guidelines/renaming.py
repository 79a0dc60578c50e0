"""Other names of relations and entity types: one mapping, applied to guideline, gold and whatever else uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field

from bythebook.guidelines.edits import rename_labels
from bythebook.types import Entity, Example, ExtractedEntity, Extraction, Guideline, Label, Noun

__all__ = ["Renaming"]


class Renaming(Noun):
    """Old name → new name; a name that is not in the mapping stays. All names change at once, so names may change
    places."""

    relations: Mapping[str, str] = Field(default_factory=dict)
    """Of relation types and the no-relation label."""
    entity_types: Mapping[str, str] = Field(default_factory=dict)

    @property
    def changes_nothing(self) -> bool:
        """Whether every name stays."""
        return all(old == new for names in (self.relations, self.entity_types) for old, new in names.items())

    @property
    def inverse(self) -> Self:
        """New name → old name. ValueError where two names became one."""
        return type(self)(relations=_turned(self.relations), entity_types=_turned(self.entity_types))

    def guideline(self, guideline: Guideline) -> Guideline:
        """The guideline under the new names, in its prose as well. GuidelineError as for `rename_labels`."""
        return guideline if self.changes_nothing else rename_labels(guideline, self.relations, self.entity_types)

    def label(self, label: Label) -> Label:
        """A gold label under its new name; its direction stays."""
        return label.model_copy(update={"name": self.relations.get(label.name, label.name)})

    def extraction(self, extraction: Extraction) -> Extraction:
        """An extraction with its types under their new names. Mentions, their spans and all orders stay: the canonical
        order of a symmetric relation hangs on its mentions alone."""
        return Extraction(
            entities=tuple(self._mention(e) for e in extraction.entities),
            relations=tuple(
                r.model_copy(
                    update={
                        "head": self._mention(r.head),
                        "type": self.relations.get(r.type, r.type),
                        "tail": self._mention(r.tail),
                    }
                )
                for r in extraction.relations
            ),
        )

    def example(self, example: Example, guideline: Guideline | None = None) -> Example:
        """The same question with everything that names a type under its new name: guideline (`guideline`, where the
        caller has it renamed already), gold of either kind, what the prompt gives, and the types of marked mentions."""
        return example.model_copy(
            update={
                "guideline": guideline or self.guideline(example.guideline),
                "gold": example.gold and self.label(example.gold),
                "extraction": example.extraction and self.extraction(example.extraction),
                "given": example.given and self.extraction(example.given),
                "entities": tuple(self._marked(e) for e in example.entities),
            }
        )

    def _mention(self, mention: ExtractedEntity) -> ExtractedEntity:
        return mention.model_copy(update={"type": self._type(mention.type)})

    def _marked(self, entity: Entity) -> Entity:
        return entity.model_copy(update={"type": self._type(entity.type)})

    def _type(self, name: str | None) -> str | None:
        return None if name is None else self.entity_types.get(name, name)


def _turned(names: Mapping[str, str]) -> dict[str, str]:
    turned = {new: old for old, new in names.items()}
    if len(turned) < len(names):
        raise ValueError("two names have become one: there is no way back")
    return turned
