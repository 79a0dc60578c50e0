"""The schema of joint extraction: what a guideline admits, as JSON Schema, validator and canonical form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bythebook.schema import ExtractionSchema, RelationSignature
from bythebook.types import EntityType, ExtractedEntity, ExtractedRelation, Extraction, Guideline, RelationType

GUIDELINE = Guideline(
    title="Papers",
    version="1",
    domain="papers",
    entity_types=(EntityType(name="Method", definition="d"), EntityType(name="Task", definition="d")),
    relation_types=(
        RelationType(name="solves", definition="d", head_types=("Method",), tail_types=("Task",)),
        RelationType(name="like", definition="d", direction="symmetric"),
        RelationType(name="pairs", definition="d", direction="Symmetric", head_types=("Method",), tail_types=("Task",)),
    ),
    no_relation="none",
)
SCHEMA = ExtractionSchema.of(GUIDELINE)


def entity(text: str, kind: str | None = None) -> ExtractedEntity:
    return ExtractedEntity(text=text, type=kind)


def relation(head: str, kind: str, tail: str, types: tuple[str | None, str | None] = (None, None)) -> ExtractedRelation:
    return ExtractedRelation(head=entity(head, types[0]), type=kind, tail=entity(tail, types[1]))


def faults(*items: ExtractedEntity | ExtractedRelation) -> list[str]:
    entities = tuple(i for i in items if isinstance(i, ExtractedEntity))
    relations = tuple(i for i in items if isinstance(i, ExtractedRelation))
    return [d.code for d in SCHEMA.admits(Extraction(entities=entities, relations=relations))]


def valid(answer: Any, sub_task: Any) -> bool:
    validator = Draft202012Validator(SCHEMA.json_schema(sub_task))
    return not list(validator.iter_errors(answer))


def test_the_schema_is_that_of_the_guideline() -> None:
    assert SCHEMA.entity_types == ("Method", "Task")
    assert SCHEMA.relation_names == ("solves", "like", "pairs")
    assert SCHEMA.symmetric == ("like", "pairs")
    assert SCHEMA.no_relation == "none"
    assert SCHEMA.signature("solves") == RelationSignature(name="solves", head_types=("Method",), tail_types=("Task",))
    assert SCHEMA.signature("none") is None


# ------------------------------------------------------------------------------------------------------ JSON schema


@pytest.mark.parametrize("sub_task", ["ner", "re", "re_plus", "end2end"])
def test_the_json_schema_is_one(sub_task: Any) -> None:
    schema = SCHEMA.json_schema(sub_task)
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    ("sub_task", "answer"),
    [
        ("ner", {"ner": []}),
        ("ner", {"ner": [["a", "Method"], ["b", "Task"]]}),
        ("re", {"rel": [["a", "solves", "b"]]}),
        ("re_plus", {"rel": []}),
        ("end2end", {"ner": [["a", "Method"]], "rel": [["a", "like", "a"]]}),
    ],
)
def test_the_json_schema_takes_answers(sub_task: Any, answer: Any) -> None:
    assert valid(answer, sub_task)


@pytest.mark.parametrize(
    ("sub_task", "answer"),
    [
        ("ner", {}),
        ("ner", []),
        ("ner", {"ner": [], "rel": []}),
        ("ner", {"ner": [["a"]]}),
        ("ner", {"ner": [["a", "Method", "x"]]}),
        ("ner", {"ner": [["a", "method"]]}),
        ("ner", {"ner": [[1, "Method"]]}),
        ("ner", {"ner": ["a", "Method"]}),
        ("re", {"rel": [["a", "none", "b"]]}),
        ("re", {"rel": [["a", "solves"]]}),
        ("re", {"rel": [["a", "solves", None]]}),
        ("re", {"rel": None}),
        ("end2end", {"ner": []}),
    ],
)
def test_the_json_schema_refuses_what_is_no_answer(sub_task: Any, answer: Any) -> None:
    assert not valid(answer, sub_task)


def test_without_entity_types_every_type_is_admitted() -> None:
    schema = ExtractionSchema(relations=(RelationSignature(name="solves"),))
    validator = Draft202012Validator(schema.json_schema("ner"))
    assert validator.is_valid({"ner": [["a", "Anything"]]})
    assert schema.admits(Extraction(entities=(entity("a", "Anything"),))) == ()


def test_relation_classification_has_no_json_answer() -> None:
    with pytest.raises(ValueError, match="no joint extraction"):
        SCHEMA.json_schema("label")


@pytest.mark.slow  # loading the library takes longer than the test
def test_the_constrained_decoder_takes_the_schema() -> None:
    xgrammar = pytest.importorskip("xgrammar", reason="the extra 'constrained' is not installed")
    from xgrammar.testing import _is_grammar_accept_string as accepts

    def admitted(sub_task: Any, *answers: str) -> list[bool]:
        grammar = xgrammar.Grammar.from_json_schema(json.dumps(SCHEMA.json_schema(sub_task)))
        return [accepts(grammar, answer) for answer in answers]

    written = SCHEMA.write(
        Extraction(
            entities=(entity('the "A" 中 😀', "Method"), entity("b\\", "Task")),
            relations=(relation("b\\", "like", 'the "A" 中 😀'),),
        ),
        "end2end",
    )
    empty = '{"ner": [], "rel": []}'
    assert admitted("end2end", written, empty, '{"ner": [["a", "method"]], "rel": []}') == [True, True, False]
    assert admitted("ner", '{"ner": [["a", "Method", "x"]]}', empty, '{"ner": [["a", "Task"]]}') == [False, False, True]
    assert admitted("re", '{"rel": [["a", "none", "b"]]}', '{"rel": [["a", "like", "b"]]}') == [False, True]


# -------------------------------------------------------------------------------------------------------- validator


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (entity("a", "Method"), None),
        (entity("a"), None),
        (entity("a", "Dataset"), "unknown_type"),
        (entity(" \n", "Method"), "empty_mention"),
        (relation("a", "solves", "b"), None),
        (relation("a", "solves", "b", ("Method", "Task")), None),
        (relation("a", "solves", "b", ("Method", None)), None),
        (relation("a", "solves", "b", ("Task", "Method")), "type_signature"),
        (relation("a", "solves", "b", (None, "Method")), "type_signature"),
        (relation("a", "like", "b", ("Task", "Task")), None),
        (relation("a", "pairs", "b", ("Task", "Method")), None),
        (relation("a", "pairs", "b", ("Task", "Task")), "type_signature"),
        (relation("a", "Solves", "b"), "unknown_relation"),
        (relation("a", "none", "b"), "stated_negative"),
        (relation("", "solves", "b"), "empty_mention"),
    ],
)
def test_what_the_guideline_admits(item: ExtractedEntity | ExtractedRelation, code: str | None) -> None:
    assert faults(item) == ([] if code is None else [code])


def test_every_fault_is_said_once_and_in_order() -> None:
    assert faults(entity("", "Method"), entity("a", "x"), relation("a", "y", "b"), relation("a", "none", "b")) == [
        "empty_mention",
        "unknown_type",
        "unknown_relation",
        "stated_negative",
    ]


def test_a_hostile_label_makes_no_long_message() -> None:
    deviation = SCHEMA.admits(Extraction(entities=(entity("a", "x" * 100_000),)))[0]
    assert len(deviation.message) < 200


# ---------------------------------------------------------------------------------------------------- canonical form


def canonical(head: str, kind: str, tail: str, source: str | None) -> tuple[str, str]:
    out = SCHEMA.canonical(Extraction(relations=(relation(head, kind, tail),)), source).relations[0]
    return out.head.text, out.tail.text


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [
        ("b — a", "b", "a"),
        ("a — b", "a", "b"),
        ("B — a", "b", "a"),  # else regardless of letter case
        ("— a !", "a", "b"),  # what does not occur stands last
        ("— b !", "b", "a"),
        ("nothing", "a", "b"),
        (None, "a", "b"),
    ],
)
def test_a_symmetric_relation_has_one_order(source: str | None, first: str, second: str) -> None:
    assert canonical("a", "like", "b", source) == (first, second)
    assert canonical("b", "like", "a", source) == (first, second)
    assert canonical("b", "solves", "a", source) == ("b", "a")


def test_spans_of_the_gold_do_not_change_the_order_that_an_answer_without_them_gets() -> None:
    source = "x y x"
    late = ExtractedEntity.model_validate({"text": "x", "span": {"start": 4, "end": 5}})
    other = ExtractedEntity.model_validate({"text": "y", "span": {"start": 2, "end": 3}})
    gold = Extraction(relations=(ExtractedRelation(head=other, type="like", tail=late),))
    assert SCHEMA.canonical(gold, source).relations[0].head.text == canonical("y", "like", "x", source)[0] == "x"


_TEXTS = st.text(alphabet="abAB xyé", max_size=4)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(head=_TEXTS, tail=_TEXTS, source=st.none() | st.text(alphabet="abAB xyé", max_size=20))
def test_both_orders_have_one_canonical_form(head: str, tail: str, source: str | None) -> None:
    one = Extraction(relations=(relation(head, "like", tail),))
    other = Extraction(relations=(relation(tail, "like", head),))
    assert SCHEMA.canonical(one, source) == SCHEMA.canonical(other, source)
    once = SCHEMA.canonical(one, source)
    assert SCHEMA.canonical(once, source) == once


# ------------------------------------------------------------------------------------------------------------ writer


def test_an_answer_is_one_line_in_the_order_of_the_extraction() -> None:
    extraction = Extraction(
        entities=(entity("b", "Task"), entity('a "x"\n', "Method")), relations=(relation("é", "like", "b"),)
    )
    assert SCHEMA.write(extraction, "end2end") == (
        '{"ner": [["b", "Task"], ["a \\"x\\"\\n", "Method"]], "rel": [["é", "like", "b"]]}'
    )
    assert SCHEMA.write(extraction, "ner").startswith('{"ner": [["b"')
    assert SCHEMA.write(extraction, "re") == '{"rel": [["é", "like", "b"]]}'


def test_an_entity_without_a_type_can_not_be_written() -> None:
    with pytest.raises(ValueError, match="no type"):
        SCHEMA.write(Extraction(entities=(entity("a"),)), "ner")
