"""The extraction of one window → items of the whole text, and what of it has no place there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bythebook.annotation.items import Found, Mention, Relation
from bythebook.grounding import ground
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction

__all__ = ["LeftOut", "Resolver"]

_SHOWN = 60


class LeftOut(NamedTuple):
    """An item of the answer that is not in the prediction; the codes are explained in `joint`."""

    code: str
    item: tuple[str, ...]
    """As in the answer: text and type, or head, relation and tail."""

    @property
    def text(self) -> str:
        """One line for a person."""
        return f"{self.code}: {', '.join(part if len(part) <= _SHOWN else part[:_SHOWN] + '…' for part in self.item)}"


@dataclass(frozen=True)
class Resolver:
    """Finds the items of an answer to one window."""

    source: str
    """The text of the window."""
    shift: int
    """Where the window begins in the whole text."""
    symmetric: Collection[str] = frozenset()
    """Relations without direction: the mention that stands first is the head."""
    given: Sequence[Mention] | None = None
    """The entities of the window, by offsets in the whole text; None where the answer finds them."""
    pairs: Collection[frozenset[Mention]] | None = None
    """The pairs that were asked about; None: any."""

    def found(self, answer: Extraction, told: Extraction | None = None) -> tuple[Found, list[LeftOut]]:
        """The items of an answer, each once, and what is left out; `told` is what the prompt gave, with spans of the
        window. Near-linear in the answer and the window."""
        grounded = ground(answer, self.source, given=told)
        left_out: list[LeftOut] = []
        entities: set[Mention] = set()
        for entity in grounded.entities if self.given is None else ():
            mention = self._mention(entity)
            if mention is None:
                left_out.append(LeftOut("ungrounded", (entity.text, entity.type or "")))
            else:
                entities.add(mention)
        known = _by_span(entities if self.given is None else self.given)
        relations: set[Relation] = set()
        for relation in grounded.relations:
            resolved = self._relation(relation, known)
            if isinstance(resolved, str):
                left_out.append(LeftOut(resolved, (relation.head.text, relation.type, relation.tail.text)))
            else:
                relations.add(resolved)
        return Found(frozenset(entities), frozenset(relations)), left_out

    def _mention(self, entity: ExtractedEntity) -> Mention | None:
        span = entity.span
        return None if span is None else (span.start + self.shift, span.end + self.shift, entity.type)

    def _relation(
        self, relation: ExtractedRelation, known: Mapping[tuple[int, int], Sequence[Mention]]
    ) -> Relation | str:
        """The relation, or the code that says why it is left out."""
        named = self._mention(relation.head), self._mention(relation.tail)
        if named[0] is None or named[1] is None:
            return "ungrounded"
        head, tail = _listed(named[0], known), _listed(named[1], known)
        if head is None or tail is None:
            return "unlisted_argument"
        if head == tail:
            return "same_argument"
        if self.pairs is not None and frozenset((head, tail)) not in self.pairs:
            return "unasked_pair"
        if relation.type in self.symmetric and _place(tail) < _place(head):
            head, tail = tail, head
        return head, relation.type, tail


def _by_span(mentions: Iterable[Mention]) -> dict[tuple[int, int], list[Mention]]:
    out: dict[tuple[int, int], list[Mention]] = {}
    for mention in sorted(mentions, key=_place):
        out.setdefault(mention[:2], []).append(mention)
    return out


def _listed(named: Mention, known: Mapping[tuple[int, int], Sequence[Mention]]) -> Mention | None:
    """The entity at that place: of that type if there is one, else the first of its types."""
    there = known.get(named[:2], ())
    return named if named in there else next(iter(there), None)


def _place(mention: Mention) -> tuple[int, int, str]:
    return mention[0], mention[1], mention[2] or ""
