"""The parser of joint extraction on any text: it is total, its spans lie inside, and items don't disturb each other."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.parsing import DROPPED_ITEMS, FORM_FAULTS, TAG_SETS, parse_extraction
from bythebook.schema import ExtractionSchema, RelationSignature
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, ParsedExtraction, SubTask

SCHEMA = ExtractionSchema(
    entity_types=("Method", "Data set"),
    relations=(RelationSignature(name="solves"), RelationSignature(name="like", symmetric=True)),
    no_relation="none",
)
SUB_TASKS = st.sampled_from(("ner", "re", "re_plus", "end2end"))
TAGS = sorted({tag for tags in TAG_SETS.values() for tag in tags.tags})
JSON = [
    *('{"ner": [', '"rel": [', '["a", "Method"]', '["a", "solves", "b"]', '["b", "like", "a"]', '["x", ', '"', "'"),
    *(
        ",",
        "]",
        "[",
        "}",
        "{",
        ":",
        "\\",
        "```",
        "```json\n",
        "NaN",
        "1e99",
        "null",
        "\\ud800",
        "\ud800",
        "\u200b",
        "“",
    ),
]
MENTIONS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)


def _pieces(pieces: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces) | st.text(max_size=3), max_size=14).map("".join)


checked = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@checked
@given(
    text=_pieces(TAGS + JSON) | _pieces(JSON).map(lambda inside: f"<answer>{inside}</answer>"),
    sub_task=SUB_TASKS,
    tags=st.sampled_from(list(TAG_SETS.values())),
    prefilled=st.booleans(),
)
def test_any_text_is_read_and_what_is_read_can_be_stored(
    text: str, sub_task: SubTask, tags: object, prefilled: bool
) -> None:
    assert isinstance(tags, type(TAG_SETS["think"]))
    parsed = parse_extraction(text, SCHEMA, sub_task, source="a b", tags=tags, prefilled=prefilled)
    assert ParsedExtraction.model_validate_json(parsed.model_dump_json()) == parsed
    codes = {d.code for d in parsed.deviations}
    assert parsed.well_formed is (parsed.extraction is not None and not codes & FORM_FAULTS)
    assert parsed.repaired is ("repaired_json" in codes)
    assert parsed.anchored is ("text_outside" not in codes)
    assert bool(parsed.dropped) is bool(codes & DROPPED_ITEMS)
    keys = "|".join(SCHEMA.keys(sub_task))
    assert all(re.match(rf"(?:{keys})\[\d+\]: .", d.message) for d in parsed.deviations if d.code in DROPPED_ITEMS)
    spans = [parsed.thinking_span, parsed.answer_span, *(d.span for d in parsed.deviations)]
    assert all(span.end <= len(text) for span in spans if span is not None)
    if parsed.extraction is not None:
        assert SCHEMA.admits(parsed.extraction) == ()
        assert SCHEMA.canonical(parsed.extraction, "a b") == parsed.extraction


def _extractions() -> st.SearchStrategy[Extraction]:
    entity = st.builds(ExtractedEntity, text=MENTIONS, type=st.sampled_from(SCHEMA.entity_types))
    mention = st.builds(ExtractedEntity, text=MENTIONS)
    relation = st.builds(ExtractedRelation, head=mention, type=st.sampled_from(SCHEMA.relation_names), tail=mention)
    return st.builds(
        Extraction,
        entities=st.lists(entity, max_size=5).map(tuple),
        relations=st.lists(relation, max_size=4).map(tuple),
    )


@checked
@given(extraction=_extractions(), sub_task=SUB_TASKS, fenced=st.booleans())
def test_a_written_answer_is_read_as_it_was(extraction: Extraction, sub_task: SubTask, fenced: bool) -> None:
    extraction = SCHEMA.canonical(extraction)
    written = SCHEMA.write(extraction, sub_task)
    block = f"```json\n{written}\n```" if fenced else written
    parsed = parse_extraction(f"<think>t</think><answer>{block}</answer>", SCHEMA, sub_task)
    assert parsed.extraction is not None
    if not any(tag in written for tag in TAG_SETS["think"].tags):
        assert parsed.well_formed
    assert parsed.extraction.entities == (extraction.entities if "ner" in SCHEMA.keys(sub_task) else ())
    read = [(r.head.text, r.type, r.tail.text) for r in parsed.extraction.relations]
    wanted = [(r.head.text, r.type, r.tail.text) for r in extraction.relations]
    assert read == (wanted if "rel" in SCHEMA.keys(sub_task) else [])


BROKEN = st.sampled_from(
    [
        *(
            "7",
            "null",
            "[]",
            "{}",
            '"a"',
            '["a"]',
            '["a", "Method", "b", "c"]',
            '["a", 5]',
            '["a", ["Method"]]',
            "[[[]]]",
        ),
        *(
            '{"text": "a"}',
            '["a", NaN]',
            '["a", "unknown"]',
            '["", "Method"]',
            '["a", "none", "b"]',
            '["x", Infinity, 1]',
        ),
        *(
            '["a"',
            '["a, "unknown"]',
            '["a", unknown]',
            '["a" "b" "c" "d"]',
            "['it's', 'unknown']",
            '["a", "\\x"]',
            "[NaN]",
        ),
    ]
)


@checked
@given(
    mentions=st.lists(MENTIONS, min_size=1, max_size=5),
    at=st.integers(0, 5),
    broken=st.lists(BROKEN, min_size=1, max_size=2),
)
def test_a_broken_item_changes_nothing_of_what_is_read_of_the_others(
    mentions: list[str], at: int, broken: list[str]
) -> None:
    items = [json.dumps([text, "Method"], ensure_ascii=False) for text in mentions]
    parsed = _ner([*items[:at], *broken, *items[at:]])
    assert parsed.extraction is not None
    assert [e.text for e in parsed.extraction.entities] == mentions
    assert parsed.dropped >= 1
    assert not parsed.well_formed


def _ner(items: list[str]) -> ParsedExtraction:
    inside = ", ".join(items)
    return parse_extraction(f'<think>t</think><answer>{{"ner": [{inside}]}}</answer>', SCHEMA, "ner")
