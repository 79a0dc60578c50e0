from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from bythebook.errors import GuidelineError
from bythebook.schema import read_gold
from bythebook.schema.gold import gold_of
from bythebook.schema.key_values import Key, KeySchema, KeyValueGold, key_guideline, leaf_text
from bythebook.types import EntityType, Example

SCHEMA = KeySchema(
    keys=(
        Key(name="total", description="amount"),
        Key(name="buyer", description="who", keys=(Key(name="name"), Key(name="town", description="where"))),
        Key(name="items", many=True, keys=(Key(name="price"), Key(name="tags", many=True))),
        Key(name="notes", many=True, description="remarks"),
    )
)
SKELETON = """{
  "total": "", // amount
  "buyer": { // who
    "name": "",
    "town": "" // where
  },
  "items": [{
    "price": "",
    "tags": [""]
  }],
  "notes": [""] // remarks
}
"""
GUIDELINE = key_guideline(SCHEMA, title="Bill", domain="bills")


def example(reference: str | None) -> Example:
    return Example(id="x", text="t", guideline=GUIDELINE, domain="bills", sub_task="key_values", reference=reference)


def test_keys_are_the_entity_types_of_a_guideline_by_path_and_come_back() -> None:
    paths = [kind.name for kind in GUIDELINE.entity_types]
    assert paths == [
        "total", "buyer", "buyer.name", "buyer.town", "items[]", "items[].price", "items[].tags[]", "notes[]",
    ]  # fmt: skip
    assert KeySchema.of(GUIDELINE) == SCHEMA


def test_objects_and_lists_need_no_entry_of_their_own() -> None:
    kinds = (EntityType(name="items[].price", definition="each"), EntityType(name="a.b", definition=""))
    found = KeySchema.of(GUIDELINE.model_copy(update={"entity_types": kinds}))
    assert found.keys[0] == Key(name="items", many=True, keys=(Key(name="price", description="each"),))
    assert found.keys[1] == Key(name="a", keys=(Key(name="b"),))


def test_the_skeleton_has_descriptions_and_one_element_a_list() -> None:
    assert f"{SCHEMA.skeleton}\n" == SKELETON


@pytest.mark.parametrize("names", [(), ("a.",), ("a b ",), ("a", "a[]"), ("a.b.c.d.e.f.g",)])
def test_a_guideline_that_declares_no_keys_is_said_to(names: tuple[str, ...]) -> None:
    kinds = tuple(EntityType.model_construct(name=name, definition="") for name in names)
    with pytest.raises(GuidelineError, match=r"Bill: no keys to ask for.*by path"):
        KeySchema.of(GUIDELINE.model_copy(update={"entity_types": kinds}))


def test_a_description_of_several_lines_stays_on_one() -> None:
    assert '"a": "" // one two' in KeySchema(keys=(Key(name="a", description=" one\n  two"),)).skeleton


@pytest.mark.parametrize("name", ["", " a", "a.b", "a[]", "a(b)", "a,b", "a\nb", "<a>"])
def test_names_that_paths_could_not_hold_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="can't be a key"):
        Key(name=name)


def test_keys_declared_twice_too_long_or_too_deep_are_refused() -> None:
    with pytest.raises(ValidationError, match="declared twice"):
        KeySchema(keys=(Key(name="a"), Key(name="a", many=True)))
    with pytest.raises(ValidationError, match="declared twice"):
        Key(name="a", keys=(Key(name="b"), Key(name="b")))
    with pytest.raises(ValidationError, match="longer than 80"):
        KeySchema(keys=(Key(name="a" * 81),))
    deep = Key(name="a")
    for _ in range(6):
        deep = Key(name="a", keys=(deep,))
    with pytest.raises(ValidationError, match="too deep"):
        KeySchema(keys=(deep,))
    with pytest.raises(ValidationError, match="at least 1 item"):
        SCHEMA.restricted(["none"])


def test_restricted_keeps_the_order_of_the_schema() -> None:
    assert SCHEMA.restricted(["notes", "total"]).names == ("total", "notes")


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"total": "9", "items": [{"price": "1", "tags": ["a"]}], "buyer": {"name": "x"}, "notes": ["y"]}, []),
        ({"total": "", "items": None, "buyer": "", "notes": []}, []),
        ({"sum": "9", "buyer": {"age": "7"}}, ["unknown_key", "unknown_key"]),
        ({"total": ["9"], "items": "1", "buyer": "x", "notes": "y"}, ["wrong_shape"] * 4),
        ({"items": ["1", {"price": {"a": "b"}}]}, ["wrong_shape"] * 2),
    ],
)
def test_faults_of_shape(values: dict[str, object], codes: list[str]) -> None:
    assert [code for code, _ in SCHEMA.faults(json.loads(json.dumps(values)))] == codes


def test_gold_goes_through_a_column_and_is_told_from_the_other_kinds() -> None:
    values = {"total": "9.00", "items": [{"price": None}], "buyer": {"name": "Ä"}}
    gold = gold_of(example(json.dumps(values)))
    assert isinstance(gold, KeyValueGold)
    assert gold.values == values
    assert read_gold(gold.to_json()) == gold
    assert json.loads(gold.write()) == values
    assert gold_of(example(None)) is None
    with pytest.raises(ValueError, match="no values"):
        KeyValueGold.of(example(None))


def test_a_gold_that_no_answer_could_give_is_refused() -> None:
    with pytest.raises(ValidationError, match="can be read"):
        KeyValueGold(key_schema=SCHEMA, values={"notes": ["x"] * 3_000})


def test_text_of_a_leaf() -> None:
    assert [leaf_text(v) for v in (None, " a \n\t b ", True, 3, "")] == ["", "a b", "true", "3", ""]
