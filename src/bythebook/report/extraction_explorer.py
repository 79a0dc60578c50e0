"""Every text of joint extraction as the page shows it: mentions at their places, gold beside predicted; as plain data.

A row is what one model answered to a text: greedily, or in its first sample where nothing was greedy. Records name
mentions by their text; where these stand is found as annotation finds it (`grounding`). Offsets are in code units of
UTF-16, which is what a page counts in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

from bythebook.grounding import ground
from bythebook.records import Record
from bythebook.report.browsing import LONGEST_COMPLETION, LONGEST_TEXT, Names, RowBuilder, cut, shown_tags
from bythebook.report.extractions import FOUND, Found, Kept, beside, extraction_of, of_both
from bythebook.report.files import record_files
from bythebook.report.run import Run
from bythebook.types import ExtractedEntity, Extraction, Status

__all__ = ["FAULTS", "OUTCOMES", "extraction_data"]

OUTCOMES = ("right", "partly", "wrong", "silent", "none", "unjudged")
"""`partly`: something is right, and something missed or wrong; `wrong`: nothing is right; `silent`: an empty answer
where there is something to find; `none`: no answer that could be read; `unjudged`: nobody annotated the text."""
FAULTS = (
    "missed_entity",
    "invented_entity",
    "entity_type",
    "missed_relation",
    "invented_relation",
    "relation_type",
    "direction",
)
"""What an answer does to items. Where only digests were kept, a wrong type is one missed and one invented."""


def extraction_data(run: Run) -> dict[str, Any] | None:
    """What the page's texts are drawn from, as JSON-able data; None where the run holds no extractions.

    Keys: `models`, `sets`, `domains`, `types` (of entities), `relations`, `texts`, `outcomes`, `faults`, `statuses`,
    `found` (lists of names), `items`, `rows` (as in `_Builder.item` and `_Builder.row`), `notes`, `start` (model and
    set to show first).
    """
    builder = _Builder()
    for file in record_files(run):
        _, records = of_both(run.records(file.name))
        if records:
            builder.add(file, records)
    return builder.data() if builder.rows else None


class _Builder(RowBuilder):
    def __init__(self) -> None:
        super().__init__()
        self.types: Names[str] = Names()
        self.relations: Names[str] = Names()

    def item(self, record: Record, where: int, name: str) -> int:
        """Index of `[id, set, domain, text, tags]`; the text is null where it is not kept."""
        key = where, name, record.gold
        if key not in self.places:
            self.places[key] = len(self.items)
            self.items.append([name, where, self.domains.place(record.domain), None, shown_tags(record)])
        item = self.items[self.places[key]]
        if item[3] is None and record.text is not None:
            item[3] = self.texts.place(cut(record.text, LONGEST_TEXT))
        return self.places[key]

    def row(self, item: int, model: int, record: Record, samples: Sequence[Record]) -> list[Any]:
        """`[item, model, gold, answer, outcome, faults, status, completion, counts, tokens, value, finish reason,
        errors, samples]`: gold and answer as in `_side`, null where unknown; counts by protocol, `[right, wrong,
        missed]`; samples, `[F1 of entities and relations, right]`."""
        gold, answer = beside(extraction_of(record.gold), extraction_of(record.answer))
        source = None if record.text is None else record.text[:LONGEST_TEXT]
        return [
            item,
            model,
            self._side(gold, source),
            self._side(answer, source),
            OUTCOMES.index(_outcome(record)),
            [FAULTS.index(fault) for fault in _faults(record, gold, answer)],
            get_args(Status).index(record.status),
            None if record.completion is None else cut(record.completion, LONGEST_COMPLETION),
            record.counts or {},
            record.tokens,
            record.value,
            record.finish_reason,
            [cut(error, 300) for error in record.errors[:40]],
            [[_f1(r), r.correct] for r in samples],
        ]

    def _side(self, kept: Kept | None, source: str | None) -> dict[str, Any] | None:
        """`{"e": [[text, type, start, end, found], …], "r": [[head, relation, tail, found], …], "m": [[start, end],
        …]}`: start and end are null where the text does not hold the mention, found is null without gold; m are the
        places of heads and tails that are no entities."""
        if kept is None:
            return None
        placed = kept.extraction if source is None else ground(kept.extraction, source)
        at = _units(source or "")
        entities = [
            [e.text, None if e.type is None else self.types.place(e.type), *_span(e, at), found]
            for e, found in zip(placed.entities, _founds(kept.entities, len(placed.entities)), strict=True)
        ]
        relations = [
            [r.head.text, self.relations.place(r.type), r.tail.text, found]
            for r, found in zip(placed.relations, _founds(kept.relations, len(placed.relations)), strict=True)
        ]
        named = {e.text for e in placed.entities}
        alone = {m.text: m for r in placed.relations for m in (r.head, r.tail) if m.text not in named and m.span}
        return {"e": entities, "r": relations, "m": [_span(m, at) for m in alone.values()]}

    def data(self) -> dict[str, Any]:
        """Everything added, in the form that `extraction_data` describes."""
        return {
            **self.shared(),
            "types": self.types.listed,
            "relations": self.relations.listed,
            "outcomes": OUTCOMES,
            "faults": FAULTS,
            "found": FOUND,
        }


def _founds(found: Sequence[Found], number: int) -> list[int | None]:
    return [FOUND.index(f) for f in found] if found else [None] * number


def _span(mention: ExtractedEntity, at: Callable[[int], int]) -> list[int | None]:
    return [None, None] if mention.span is None else [at(mention.span.start), at(mention.span.end)]


def _units(text: str) -> Callable[[int], int]:
    """From characters to code units of UTF-16, which differ beyond the basic plane."""
    if all(ord(c) < 0x10000 for c in text):
        return lambda offset: offset
    starts = [0]
    for c in text:
        starts.append(starts[-1] + (2 if ord(c) >= 0x10000 else 1))
    return lambda offset: starts[offset]


def _sums(record: Record) -> tuple[int, int, int]:
    """(right, wrong, missed) over entities and relations, arguments' types left aside."""
    kept = [c for name, c in (record.counts or {}).items() if name != "rel_plus"]
    return sum(c[0] for c in kept), sum(c[1] for c in kept), sum(c[2] for c in kept)


def _f1(record: Record) -> float | None:
    right, wrong, missed = _sums(record)
    if record.counts is None:
        return None
    both = 2 * right + wrong + missed
    return 2 * right / both if both else 1.0 if record.correct else 0.0


def _outcome(record: Record) -> str:
    if record.counts is None or record.correct is None:
        return "unjudged"
    right, wrong, missed = _sums(record)
    if record.answer is None:
        return "none"
    if record.correct:
        return "right"
    if right:
        return "partly"
    return "wrong" if wrong or not missed else "silent"


def _faults(record: Record, gold: Kept | None, answer: Kept | None) -> list[str]:
    """What happened to items, in the order of `FAULTS`."""
    if record.counts is None:
        return []
    if gold is None:
        return [
            fault
            for name, faults in (("ner", FAULTS[:2]), ("rel", FAULTS[3:5]))
            for fault, n in zip(faults, record.counts.get(name, (0, 0, 0))[:0:-1], strict=True)
            if n
        ]
    said = answer or Kept(Extraction(), (), ())
    found = {
        "missed_entity": "alone" in gold.entities,
        "invented_entity": "alone" in said.entities,
        "entity_type": "type" in said.entities or "type" in gold.entities,
        "missed_relation": "alone" in gold.relations,
        "invented_relation": "alone" in said.relations,
        "relation_type": "type" in said.relations or "type" in gold.relations,
        "direction": "direction" in said.relations or "direction" in gold.relations,
    }
    return [fault for fault in FAULTS if found[fault]]
