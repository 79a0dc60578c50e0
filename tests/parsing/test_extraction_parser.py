"""The parser of joint extraction: what is read, every deviation by its code, and that no text breaks it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bythebook.parsing import DROPPED_ITEMS, FORM_FAULTS, MAX_EXTRACTED, TAG_SETS, extraction, parse_extraction
from bythebook.schema import ExtractionSchema, RelationSignature
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, ParsedExtraction, SubTask

SCHEMA = ExtractionSchema(
    entity_types=("Method", "Task"),
    relations=(
        RelationSignature(name="solves", head_types=("Method",), tail_types=("Task",)),
        RelationSignature(name="like", symmetric=True),
    ),
    no_relation="none",
)
GOOD = '{"ner": [["a", "Method"], ["b", "Task"]], "rel": [["a", "solves", "b"]]}'


def read(text: str, sub_task: SubTask = "end2end", **options: Any) -> ParsedExtraction:
    return parse_extraction(text, SCHEMA, sub_task, **options)


def answer(json: str, sub_task: SubTask = "end2end", **options: Any) -> ParsedExtraction:
    return read(f"<think>why</think><answer>{json}</answer>", sub_task, **options)


def codes(parsed: ParsedExtraction) -> list[str]:
    return [d.code for d in parsed.deviations]


def entities(parsed: ParsedExtraction) -> list[str]:
    assert parsed.extraction is not None
    return [f"{e.text}:{e.type}" for e in parsed.extraction.entities]


def relations(parsed: ParsedExtraction) -> list[str]:
    assert parsed.extraction is not None
    return [f"{r.head.text} {r.type} {r.tail.text}" for r in parsed.extraction.relations]


# -------------------------------------------------------------------------------------------------------- good form


def test_a_completion_in_form_is_read_without_deviation() -> None:
    text = f"<think> why </think>\n<answer>\n{GOOD}\n</answer>"
    parsed = read(text)
    assert parsed.well_formed
    assert parsed.anchored
    assert not parsed.repaired
    assert parsed.dropped == 0
    assert parsed.deviations == ()
    assert parsed.thinking == "why"
    assert parsed.thinking_span is not None
    assert parsed.thinking_span.of(text) == "why"
    assert parsed.answer_span is not None
    assert parsed.answer_span.of(text) == GOOD
    assert parsed.extraction == Extraction(
        entities=(ExtractedEntity(text="a", type="Method"), ExtractedEntity(text="b", type="Task")),
        relations=(
            ExtractedRelation(
                head=ExtractedEntity(text="a", type="Method"),
                type="solves",
                tail=ExtractedEntity(text="b", type="Task"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("sub_task", "json"), [("ner", '{"ner": []}'), ("re", '{"rel": []}'), ("re_plus", '{"rel":[]}')]
)
def test_each_sub_task_has_its_keys(sub_task: SubTask, json: str) -> None:
    parsed = answer(json, sub_task)
    assert parsed.well_formed
    assert parsed.extraction == Extraction()
    assert not answer(GOOD, sub_task).well_formed
    assert "unknown_key" in codes(answer(GOOD, sub_task))


def test_relation_classification_is_not_read_here() -> None:
    with pytest.raises(ValueError, match="no joint extraction"):
        read(GOOD, "label")


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("think", "<think>t</think>"),
        ("reasoning_think", "<reasoning>r</reasoning><think>t</think>"),
        ("plan", "<plan>t</plan>"),
        ("answer", ""),
    ],
)
def test_each_tag_set_is_read_and_the_others_are_deviations(name: str, before: str) -> None:
    text = f"{before}<answer>{GOOD}</answer>"
    parsed = read(text, tags=TAG_SETS[name])
    assert parsed.well_formed
    assert parsed.anchored
    assert parsed.deviations == ()
    assert parsed.thinking == ("t" if before else None)
    for other in TAG_SETS.keys() - {name}:
        wrong = read(text, tags=TAG_SETS[other])
        assert entities(wrong) == entities(parsed)
        assert not (wrong.well_formed and wrong.anchored)
        assert codes(wrong)


@pytest.mark.parametrize(
    ("name", "opened"), [("think", "<think>"), ("reasoning_think", "<reasoning>"), ("plan", "<plan>")]
)
def test_a_prefilled_prompt_has_opened_the_first_block(name: str, opened: str) -> None:
    rest = "</reasoning><think>t</think>" if name == "reasoning_think" else opened.replace("<", "</")
    for text in (f"why{rest}<answer>{GOOD}</answer>", f"{opened}why{rest}<answer>{GOOD}</answer>"):
        parsed = read(text, tags=TAG_SETS[name], prefilled=True)
        assert parsed.well_formed
        assert set(codes(parsed)) <= {"repeated_think"}


# ------------------------------------------------------------------------------------------------------- deviations


@pytest.mark.parametrize(
    ("json", "expected", "well_formed"),
    [
        ("", ["unparseable_answer"], False),
        ("none", ["unparseable_answer"], False),
        ("{}", ["unparseable_answer"], False),
        ('{"ner": "a"}', ["unparseable_answer"], False),
        ("[[[", ["unparseable_answer"], False),
        ('{"ner": []}', ["missing_key"], False),
        ('{"ner": [], "rel": null}', ["missing_key"], False),
        ('{"ner": [], "rel": [], "ner": []}', ["repeated_key"], False),
        ('{"ner": [], "rel": [], "why": [1]}', ["unknown_key"], False),
        (f"```json\n{GOOD}\n```", ["code_fence"], True),
        (f"```{GOOD}```", ["code_fence"], True),
        (f"So: {GOOD}", ["text_in_answer"], False),
        (f"{GOOD} {GOOD}", ["text_in_answer"], False),
        (f"So:\n```json\n{GOOD}\n```\nDone", ["code_fence", "text_in_answer"], False),
        (GOOD.replace('"', "'"), ["repaired_json"], False),
        (GOOD[:-1], ["repaired_json"], False),
        (GOOD.replace("]]}", "],]}"), ["repaired_json"], False),
        (GOOD.replace('"a",', '"a", 1,', 1), ["malformed_item"], False),
        (GOOD.replace('"a", "M', '1e999999, "M', 1), ["malformed_item"], False),
        (GOOD.replace('["a", "Method"]', "1" * 9_999), ["malformed_item"], False),
        (GOOD.replace('["a", "Method"]', '["a", NaN]'), ["repaired_json", "malformed_item"], False),
        (GOOD.replace('["a", "Method"]', '["a", -Infinity]'), ["repaired_json", "malformed_item"], False),
        (GOOD.replace('["a", "Method"]', '["a", ["Method"]]'), ["malformed_item"], False),
        (GOOD.replace('["a", "Method"]', '{"text": "a", "type": "Method"}'), ["malformed_item"], False),
        (GOOD.replace("Task", "task"), ["unknown_type"], False),
        (GOOD.replace('"a", "M', '" ", "M'), ["empty_mention"], False),
        (GOOD.replace("solves", "solve"), ["unknown_relation"], False),
        (GOOD.replace("solves", "none"), ["stated_negative"], False),
        (GOOD.replace('"a", "solves", "b"', '"b", "solves", "a"'), ["type_signature"], True),
        (GOOD.replace("[[", '[["a", "Method"], [', 1), ["duplicate_item"], True),
        (GOOD.replace('["a", "Method"]', '["a\u200b", "Method"]'), ["invisible_character"], True),
        (GOOD.replace('["a", "Method"]', '["a\\ud800", "Method"]'), ["lone_surrogate"], True),
    ],
)
def test_each_deviation_of_the_answer_has_its_code(json: str, expected: list[str], well_formed: bool) -> None:
    parsed = answer(json)
    assert codes(parsed) == expected
    assert parsed.well_formed is well_formed
    assert parsed.repaired is ("repaired_json" in expected)
    assert parsed.dropped == sum(code in DROPPED_ITEMS for code in expected)


@pytest.mark.parametrize(
    ("text", "expected", "is_read"),
    [
        ("", ["missing_tag"] * 4, False),
        (GOOD, ["missing_tag"] * 4 + ["bare_answer", "text_outside"], True),
        (f"<think>t</think>{GOOD}", ["missing_tag", "missing_tag", "bare_answer", "text_outside"], True),
        (f"<think>t</think>{GOOD}</answer>", ["missing_tag", "bare_answer", "text_outside"], True),
        (f"<think>t</think><answer>{GOOD}", ["missing_tag", "unclosed_answer"], True),
        (f"<think>t {GOOD}", ["missing_tag"] * 3, False),
        (f"<think>t <answer>{GOOD}", ["missing_tag", "missing_tag", "unclosed_answer", "nested_tag"], True),
        (f"<think>t <answer>{GOOD}</think>", ["missing_tag", "tag_order", "nested_tag"], False),
        (f"<think>{GOOD}</think>", ["missing_tag", "missing_tag"], False),
        (f"<think><answer>{GOOD}</answer></think>", ["tag_order", "unread_answer", "nested_tag"], False),
        (f"<answer>{GOOD}</answer>" * 2, ["missing_tag"] * 2 + ["duplicate_tag"] * 2 + ["unread_answer"], False),
        (f"<answer>{GOOD}</answer></answer>", ["missing_tag"] * 2 + ["duplicate_tag", "unread_answer"], False),
        (f"<plan>t</plan><answer>{GOOD}</answer>", ["missing_tag"] * 2 + ["foreign_tag", "text_outside"], True),
    ],
)
def test_each_deviation_of_the_tags_has_its_code(text: str, expected: list[str], is_read: bool) -> None:
    parsed = read(text)
    assert codes(parsed) == expected
    assert not parsed.well_formed
    assert (parsed.extraction is not None) is is_read
    assert (parsed.answer_span is not None) is is_read


def test_the_codes_are_documented() -> None:
    documented = re.findall(r"^(\w+_\w+)  ", extraction.__doc__ or "", re.MULTILINE)
    groups = (extraction.__doc__ or "").split("\n\n")
    assert len(documented) == len(set(documented)) == 23
    assert set(re.findall(r"^(\w+_\w+)  ", "\n".join(groups[2:4]), re.MULTILINE)) == FORM_FAULTS
    assert set(re.findall(r"^(\w+_\w+)  ", groups[3], re.MULTILINE)) == DROPPED_ITEMS


def test_a_dropped_item_is_shown_at_its_place() -> None:
    text = '<think>t</think><answer>{"ner": [["a", 1], ["b", "Task"], ["c", "x"]], "rel": [7]}</answer>'
    shown = [d.span.of(text) for d in read(text).deviations if d.span is not None]
    assert shown == ['["a", 1]', '["c", "x"]', "7"]


def test_what_is_said_of_an_item_names_its_key_and_its_number() -> None:
    json = '{"ner": [["a", 1], ["b", "Task"], ["c", "x"], ["b", "Task"]], "rel": [7, ["b", "none", "a"], ["b", "like"'
    said = [(d.code, d.message) for d in answer(json).deviations if d.code != "repaired_json"]
    assert said == [
        ("malformed_item", "ner[0]: an item of another form"),
        ("unknown_type", "ner[2]: 'x' is no entity type of the guideline"),
        ("duplicate_item", "ner[3]: the same item again"),
        ("malformed_item", "rel[0]: an item of another form"),
        ("stated_negative", "rel[1]: 'none' says that there is no relation: leave the pair out"),
        ("unfinished_item", "rel[2]: the text breaks off in an item"),
    ]
    whole = answer('{"ner": [["a", "Task"]], "rel": [["a", "solves", "b"]], "ner": [["", "Task"], ["\u200b", "Task"]]}')
    assert [(d.code, d.message) for d in whole.deviations] == [
        ("repeated_key", "'ner' more than once"),
        ("empty_mention", "ner[1]: an entity without text"),
        ("invisible_character", "ner[2]: a character without width"),
        ("type_signature", "rel[0]: solves does not join Task with any type"),
    ]


# ----------------------------------------------------------------------------------------------- broken JSON, by item


@pytest.mark.parametrize(
    ("json", "read_entities", "dropped"),
    [
        ('{"ner": [["a", "Method"], ["b", "Ta', ["a:Method"], 1),
        ('{"ner": [["a", "Method"], ["b", "Task"', ["a:Method"], 1),
        ('{"ner": [["a", "Method"], ["b", "Task"]', ["a:Method", "b:Task"], 0),
        ('{"ner": [["a", "Method", ["b", "Task"]], "rel": []}', ["a:Method", "b:Task"], 0),
        ('{"ner": [["a, "Method"], ["b", "Task"]], "rel": []}', ["a, :Method", "b:Task"], 0),
        ('{"ner": [["say "a" now", "Method"], ["b", "Task"]]}', ['say "a" now:Method', "b:Task"], 0),
        ('{"ner": [["a", "Method"] ["b", "Task"]], "rel": []}', ["a:Method", "b:Task"], 0),
        ("{'ner': [[a, Method], ['b', 'Task']], 'rel': []}", ["a:Method", "b:Task"], 0),
        ("{“ner”: [[“a”, “Method”], [“b”, “Task”]], “rel”: []}", ["a:Method", "b:Task"], 0),
        ('\u200b{\u200b"ner": [\u200b["a", "Method"]\u200b, ["b", "Task"]], "rel": []}', ["a:Method", "b:Task"], 0),
        ('{"ner": [["a", "Method"], 5, null, ["b", "Task"]], rel: []}', ["a:Method", "b:Task"], 1),
        ('{"ner": [["x, [1]", "Method"], ["b", "Task"]], rel: []}', ["x, [1]:Method", "b:Task"], 0),
        ('{"x": [["c", "Task"]], "ner": [["a", "Method"]], rel: []', ["a:Method"], 0),
    ],
)
def test_items_of_broken_json_are_read_one_by_one(json: str, read_entities: list[str], dropped: int) -> None:
    parsed = answer(json)
    assert entities(parsed) == read_entities
    assert parsed.dropped == dropped
    assert parsed.repaired
    assert not parsed.well_formed


def test_a_bare_list_is_that_of_the_only_key() -> None:
    parsed = answer('[["a", "Method"]]', "ner")
    assert entities(parsed) == ["a:Method"]
    assert parsed.repaired
    assert answer('[["a", "Method"]]').extraction is None


# ------------------------------------------------------------------------------------------------ types, order, bounds


def test_arguments_have_the_type_of_their_entity_where_it_is_the_only_one() -> None:
    json = '{"ner": [["a", "Method"], ["b", "Task"], ["b", "Method"], ["c", "x"]], '
    json += '"rel": [["a", "like", "b"], ["c", "like", "a"]]}'
    parsed = answer(json, source="a b c")
    assert parsed.extraction is not None
    found = [(r.head.text, r.head.type, r.tail.text, r.tail.type) for r in parsed.extraction.relations]
    assert found == [("a", "Method", "b", None), ("a", "Method", "c", None)]


def test_arguments_have_the_types_that_the_prompt_told() -> None:
    told = Extraction(entities=(ExtractedEntity(text="a", type="Task"), ExtractedEntity(text="b", type="Method")))
    parsed = answer('{"rel": [["a", "solves", "b"]]}', "re_plus", given=told)
    assert codes(parsed) == ["type_signature"]
    assert parsed.extraction is not None
    assert parsed.extraction.relations[0].head.type == "Task"
    assert codes(answer(GOOD, given=told)) == []


def test_symmetric_relations_are_canonical_and_repetitions_are_seen() -> None:
    json = '{"rel": [["b", "like", "a"], ["a", "like", "b"], ["b", "solves", "a"]]}'
    parsed = answer(json, "re", source="a and b")
    assert relations(parsed) == ["a like b", "a like b", "b solves a"]
    assert codes(parsed) == ["duplicate_item"]
    assert relations(answer(json, "re", source="b and a")) == ["b like a", "b like a", "b solves a"]


def test_no_more_items_than_the_bound_are_read() -> None:
    many = ", ".join(f'["a{n}", "Task"]' for n in range(MAX_EXTRACTED + 7))
    parsed = answer(f'{{"ner": [{many}], "rel": []}}')
    assert len(entities(parsed)) == MAX_EXTRACTED
    assert parsed.dropped == 7
    (found,) = parsed.deviations
    said = f"ner[{MAX_EXTRACTED}]: {MAX_EXTRACTED + 7} items, {MAX_EXTRACTED} read"
    assert (found.code, found.message) == ("too_many_items", said)
