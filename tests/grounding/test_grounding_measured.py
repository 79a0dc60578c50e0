"""Grounding measured on gold that has offsets: mention texts go in, in the order of the gold and sorted by type, and
the offsets that come out are compared with the true ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bythebook.grounding import ground
from bythebook.readers.tokens import TokenText
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span


class Text(NamedTuple):
    text: str
    entities: list[tuple[Span, str]]
    relations: list[tuple[Span, Span]]


def _text(tokens: list[str], entities: list[list[object]], relations: list[list[object]]) -> Text:
    whole = TokenText(tokens)

    def span(first: object, last: object) -> Span:
        assert isinstance(first, int)
        assert isinstance(last, int)
        found = whole.span(first, last)
        assert found is not None
        return found

    return Text(
        whole.text,
        [(span(e[0], e[1]), str(e[2])) for e in entities],
        [(span(r[0], r[1]), span(r[2], r[3])) for r in relations],
    )


def _rows(path: Path) -> Iterator[dict[str, list[list[object]]]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _scierc(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.glob("*.json")):
        for row in _rows(path):
            flat = {key: [item for part in row[key] for item in part] for key in ("sentences", "ner", "relations")}
            yield _text(flat["sentences"], flat["ner"], flat["relations"])  # type: ignore[arg-type]


def _crossre(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.glob("crossre_data/*.json")):
        for row in _rows(path):
            yield _text(row["sentence"], row["ner"], row["relations"])  # type: ignore[arg-type]


def _measured(texts: Iterator[Text], *, by_type: bool) -> Counter[str]:
    """Mentions whose text occurs once, and more than once: how many, at their true place, and so by the first
    occurrence; relations with both arguments at their true places."""
    count: Counter[str] = Counter()
    for text, entities, relations in texts:
        entities = sorted(entities, key=lambda e: e[1]) if by_type else entities
        extraction = Extraction(
            entities=tuple(ExtractedEntity(text=span.of(text), type=kind) for span, kind in entities),
            relations=tuple(
                ExtractedRelation(
                    head=ExtractedEntity(text=head.of(text)), type="r", tail=ExtractedEntity(text=tail.of(text))
                )
                for head, tail in relations
            ),
        )
        out = ground(extraction, text)
        for (true, _), entity in zip(entities, out.entities, strict=True):
            first = text.find(entity.text)
            kind = "once" if text.find(entity.text, first + 1) < 0 else "repeated"
            count[kind] += 1
            count[f"{kind} right"] += entity.span == true
            count[f"{kind} first"] += first == true.start
        for (head, tail), relation in zip(relations, out.relations, strict=True):
            count["relations"] += 1
            count["relations right"] += relation.head.span == head and relation.tail.span == tail
            count["relations first"] += (
                text.find(head.of(text)) == head.start and text.find(tail.of(text)) == tail.start
            )
    return count


@pytest.mark.parametrize("by_type", [False, True])
def test_scierc(licensed_data: Path, by_type: bool) -> None:
    """500 abstracts. All 5,619 mentions whose text occurs once are at their true offsets. Of the 2,475 whose text
    repeats, 99.8 % are in the order of the gold and 94.6 % sorted by type; by the first occurrence 30.9 %. Of 4,648
    relations, 97.3 % and 95.8 % have both arguments in place; by the first occurrence 68.2 %."""
    count = _measured(_scierc(licensed_data / "scierc"), by_type=by_type)
    assert (count["once"], count["repeated"], count["relations"]) == (5_619, 2_475, 4_648)
    assert count["once right"] / count["once"] >= 0.999
    assert count["repeated right"] / count["repeated"] >= (0.94 if by_type else 0.995)
    assert count["repeated right"] - count["repeated first"] >= 0.6 * count["repeated"]
    assert count["relations right"] - count["relations first"] >= 0.25 * count["relations"]


@pytest.mark.parametrize("by_type", [False, True])
def test_crossre(licensed_data: Path, by_type: bool) -> None:
    """3,565 sentences. All 14,653 mentions whose text occurs once are at their true offsets. Of the 821 whose text
    repeats, 99.9 % are in the order of the gold and 92.2 % sorted by type; by the first occurrence 45.8 %. Of 10,318
    relations, 98.6 % and 98.2 % have both arguments in place; by the first occurrence 93.9 %."""
    count = _measured(_crossre(licensed_data / "crossre"), by_type=by_type)
    assert (count["once"], count["repeated"], count["relations"]) == (14_653, 821, 10_318)
    assert count["once right"] / count["once"] >= 0.999
    assert count["repeated right"] / count["repeated"] >= (0.92 if by_type else 0.995)
    assert count["repeated right"] - count["repeated first"] >= 0.4 * count["repeated"]
    assert count["relations right"] - count["relations first"] >= 0.04 * count["relations"]


def test_every_mention_of_scier_is_found_as_it_is_written(licensed_data: Path) -> None:
    """SciER has no offsets; each of its 24,518 mentions occurs in its sentence."""
    count: Counter[str] = Counter()
    for path in sorted((licensed_data / "scier" / "LLM").glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                entities = tuple(ExtractedEntity(text=text) for text, _ in row["ner"])
                out = ground(Extraction(entities=entities), row["sentence"])
                count.update(e.alignment or "none" for e in out.entities)
    assert count == {"exact": 24_518}


def test_an_own_text_in_both_orders() -> None:
    text = _text(
        "Our parser beats the parser of last year , since our parser reads and the old model guesses .".split(),
        [[1, 1, "Method"], [4, 4, "Generic"], [10, 10, "Method"], [14, 14, "Generic"]],
        [[1, 1, 4, 4], [10, 10, 14, 14]],
    )
    for by_type in (False, True):
        count = _measured(iter([text]), by_type=by_type)
        assert count["once right"] == count["once"] == 1
        assert count["repeated"] == 3
        assert count["repeated first"] == 1
        assert count["relations right"] >= 1
    assert _measured(iter([text]), by_type=False)["repeated right"] == 3
