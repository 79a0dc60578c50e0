"""Procedural forms: gold that can be read off the document, whatever the noise."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError, RecipeError
from bythebook.metrics.key_values import flatten
from bythebook.tasks import task_named
from bythebook.tasks.world.form_kinds import FORMS, OOD_FORMS, schema_of
from bythebook.tasks.world.form_noise import blurred, mended, misread
from bythebook.tasks.world.form_values import VALUES, drawn
from bythebook.types import Example

SIZES = {"train": 60, "id": 30, "ood": 30}


def load(**options: Any) -> dict[str, list[Example]]:
    return task_named("world_forms").read(None, **{**SIZES, **options})


def test_every_value_stands_in_the_document_once_misread_digits_are_put_back() -> None:
    for noise in (0.0, 0.1, 1.0):
        for rows in load(misread=noise, blurred=noise).values():
            for e in rows:
                text = "\n".join(mended(line) for line in e.text.split("\n"))
                for value in flatten(json.loads(e.reference or "")).values():
                    assert value in text


def test_keys_without_a_line_are_absent_from_the_gold_and_lists_have_no_empty_items() -> None:
    stated = [len(json.loads(e.reference or "")) for e in load(absent=0.5)["train"]]
    assert min(stated) >= 1
    assert len(set(stated)) > 2
    for e in load()["train"]:
        values = json.loads(e.reference or "")
        assert all(flatten(values, "count").values())
    whole = load(absent=0.0)["train"]
    assert all({f.key for f in form.fields} <= set(json.loads(e.reference or ""))
               for e in whole for form in FORMS if form.name == e.domain)  # fmt: skip


def test_out_of_domain_has_other_keys_and_other_kinds_of_documents() -> None:
    rows = load()
    assert {e.domain for e in rows["train"]} == {e.domain for e in rows["id"]} == {form.name for form in FORMS}
    assert {e.domain for e in rows["ood"]} == {form.name for form in OOD_FORMS}
    paths = [{kind.name for form in forms for kind in schema_of(form).entity_types()} for forms in (FORMS, OOD_FORMS)]
    assert len(paths[1] - paths[0]) > len(paths[1]) / 2
    assert {e.guideline.hash for e in rows["train"]}.isdisjoint({e.guideline.hash for e in rows["ood"]})


def test_seeds_and_splits_differ_and_a_longer_run_begins_with_the_shorter_one() -> None:
    rows = load()
    assert rows == load()
    assert load(seed=1)["train"][0].text != rows["train"][0].text
    assert not {e.text for e in rows["train"]} & {e.text for e in rows["id"]}
    assert load(train=10)["train"] == rows["train"][:10]
    assert len({e.text for e in load(train=500)["train"]}) == 500


def test_forms_have_every_kind_of_value_and_no_key_twice() -> None:
    used = {f.kind for form in (*FORMS, *OOD_FORMS) for f in (*form.fields, *form.rows.columns)}
    used |= {kind for form in (*FORMS, *OOD_FORMS) for _, kind in form.decoys}
    assert used == set(VALUES)
    for form in (*FORMS, *OOD_FORMS):
        schema_of(form)
        labels = [label for field in form.fields for label in field.labels] + [label for label, _ in form.decoys]
        assert len(set(labels)) == len(labels)


def test_options_out_of_range_and_paths_are_refused() -> None:
    with pytest.raises(RecipeError, match="world_forms option misread"):
        load(misread=2.0)
    with pytest.raises(DataError, match="no path"):
        task_named("world_forms").read("x")


@settings(deadline=None)
@given(st.sampled_from(sorted(VALUES)), st.floats(0, 1), st.integers(0, 10**6))
def test_what_was_misread_can_be_mended(kind: str, rate: float, seed: int) -> None:
    value = drawn(kind, random.Random(seed))
    noisy = misread(value, rate, random.Random(seed))
    assert mended(noisy) == value
    assert len(noisy) == len(value)
    assert misread(value, 0.0, random.Random(seed)) == value


def test_misreading_is_confined_to_numbers() -> None:
    rng = random.Random(0)
    assert misread("10.80 mg", 1.0, rng) == "10.80 mg"  # nothing would tell that it was a number
    assert misread("2l B0B", 1.0, rng) == "2l B0B"
    assert misread("12.85", 1.0, rng) == "l2.BS"
    assert mended("Sally lO l2.BS Bob") == "Sally lO 12.85 Bob"


def test_blurring_damages_words_and_keeps_their_number() -> None:
    text = "Prescribed by the Doctor"
    assert blurred(text, 0.0, random.Random(0)) == text
    noisy = {blurred(text, 1.0, random.Random(seed)) for seed in range(20)}
    assert len(noisy) > 5
    assert all(len(n.split(" ")) == 4 and n != text for n in noisy)
