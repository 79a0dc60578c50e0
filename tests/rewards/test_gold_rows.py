"""The gold of an extraction in a row of a file of completions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.rewards import reward_lines
from bythebook.rewards.gold_rows import gold_of_row
from bythebook.schema import ExtractionGold
from bythebook.studies.attack.items import ITEMS

ITEM = ITEMS[0]
ROW: dict[str, Any] = {
    "completion": "x",
    "text": ITEM.text,
    "gold": {"ner": [[*e] for e in ITEM.entities], "rel": [[*r] for r in ITEM.relations]},
    "labels": [*ITEM.schema.relation_names],
}


def test_a_gold_of_every_form_says_the_same() -> None:
    for written in (ITEM.gold.model_dump(mode="json"), ITEM.gold_json):
        assert gold_of_row({"gold": written}) == ITEM.gold
    found = gold_of_row({**ROW, "entity_types": [*ITEM.schema.entity_types], "symmetric": ["Compare-With"]})
    assert isinstance(found, ExtractionGold)
    assert (found.text, found.extraction, found.sub_task) == (ITEM.text, ITEM.gold.extraction, "end2end")
    assert found.extraction_schema.relation_names == ITEM.schema.relation_names
    assert found.extraction_schema.symmetric == ("Compare-With",)
    assert gold_of_row({"completion": "x"}) is None


@pytest.mark.parametrize(("keys", "sub_task"), [(("ner",), "ner"), (("rel",), "re_plus"), (("rel", "ner"), "end2end")])
def test_the_keys_of_the_gold_say_what_was_asked_for(keys: tuple[str, ...], sub_task: str) -> None:
    found = gold_of_row({**ROW, "gold": {key: [] for key in keys}})
    assert isinstance(found, ExtractionGold)
    assert found.sub_task == sub_task


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, "without its text or its label set"),
        ({"labels": None}, "the labels are no list of names"),
        ({"labels": [5]}, "the labels are no list of names"),
        ({"gold": {"ner": 5}}, "'ner' is no list of items of 2 texts each"),
        ({"gold": {"rel": [["a", "b"]]}}, "'rel' is no list of items of 3 texts each"),
        ({"gold": {"ner": [["a", None]]}}, "'ner' is no list"),
        ({"gold": {"rel": [["a", "Unheard-Of", "b"]]}}, "'Unheard-Of' is no relation of the guideline"),
        ({"entity_types": ["Dataset"]}, "'Method' is no entity type of the guideline"),
        ({"entity_types": "Dataset"}, "bad gold: entity_types"),
        ({"gold": {"extraction_schema": {}}}, "bad gold"),
        ({"gold": '{"extraction_schema": {}}'}, "bad gold"),
        ({"gold": "Used-For(e1,e2)"}, "that of a label"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = tmp_path / "completions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (ROW, {**ROW, **changes})), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(reward_lines("r2grpo", file))
    assert message in str(caught.value)
    assert (caught.value.file, caught.value.line) == (file, 2)


def test_a_reward_on_labels_refuses_an_extraction(tmp_path: Path) -> None:
    file = tmp_path / "completions.jsonl"
    file.write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"that of an extraction .*r1_re needs a gold label"):
        list(reward_lines("r1_re", file))
