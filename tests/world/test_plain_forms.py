"""Plain forms: one word a value, one token a word, and schemas out of domain of keys that are known one by one."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from bythebook.errors import DataError
from bythebook.prompts import PromptStyle, render
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.schema.key_values import KeySchema
from bythebook.tasks import task_named
from bythebook.tasks.world.form_annotators import CAREFUL, SPARING, careful, mixed
from bythebook.tasks.world.form_kinds import FORMS
from bythebook.tasks.world.plain_forms import PLAIN_FORMS, PLAIN_OOD_FORMS, plain_pieces, plain_vocabulary
from bythebook.training.small_models import build_tokenizer
from bythebook.types import Example

ROWS = task_named("world_forms").read(None, train=120, id=20, ood=20, plain=True)
TRAIN = ROWS["train"]


def values_of(example: Example) -> dict[str, str]:
    found: dict[str, str] = json.loads(example.reference or "")
    return found


def test_every_value_is_one_word_of_the_document() -> None:
    for rows in ROWS.values():
        for e in rows:
            stated = [line.rpartition(": ")[2] for line in e.text.split("\n")]
            assert 1 <= len(stated) <= 7
            for value in values_of(e).values():
                assert value in stated
                assert value.isalpha()


def test_a_word_is_one_token_unless_it_is_blurred() -> None:
    tokenizer = build_tokenizer(plain_vocabulary(), plain_pieces())
    for e in task_named("world_forms").read(None, train=60, ood=20, plain=True, blurred=0.0).values():
        for example in e:
            text = render(example, PromptStyle(template="short"))[0]["content"] + careful(example, random.Random(0))
            pieces = [tokenizer.decode([i]) for i in tokenizer(text)["input_ids"]]
            assert "".join(pieces) == text
            assert [piece for piece in pieces if len(piece) == 1 and piece not in ":\n"] == []
            assert len(pieces) < 110


def test_out_of_domain_are_other_schemas_of_the_same_keys() -> None:
    known = [{field.key for field in form.fields} for form in PLAIN_FORMS]
    for form in PLAIN_OOD_FORMS:
        keys = {field.key for field in form.fields}
        assert keys <= set.union(*known)
        assert all(keys - one for one in known)
        assert not {label for label, _ in form.decoys} & {x for field in form.fields for x in field.labels}
    assert {KeySchema.of(e.guideline).names for e in ROWS["ood"]}.isdisjoint(
        KeySchema.of(e.guideline).names for e in TRAIN
    )


def test_plain_forms_have_the_keys_of_the_others_without_lists() -> None:
    for plain, form in zip(PLAIN_FORMS, FORMS, strict=True):
        assert [f.key for f in plain.fields] == [f.key for f in form.fields]
    assert all(not key.keys and not key.description for e in TRAIN for key in KeySchema.of(e.guideline).keys)


def test_a_careful_clerk_earns_everything_and_names_the_keys_before() -> None:
    judge = reward("medical_vie")
    for e in TRAIN:
        gold = gold_of(e)
        assert gold is not None
        said = careful(e, random.Random(0))
        assert judge.verdict(said, gold.to_json()).value == 1.0
        assert said.partition("</think>")[0].removeprefix("<think>").split() == list(values_of(e))


def test_the_staff_says_too_little_and_too_much_as_often_as_it_should() -> None:
    kinds: Counter[str] = Counter()
    for number, e in enumerate(TRAIN * 10):
        said = json.loads(mixed(e, random.Random(number)).partition("<answer>")[2].removesuffix("</answer>"))
        gold, asked = values_of(e), KeySchema.of(e.guideline).names
        if said == gold:
            kinds["whole"] += 1
        elif set(said) < set(gold):
            assert said == {key: gold[key] for key in said}
            assert said
            kinds["sparing"] += 1
        else:
            assert tuple(said) == asked
            assert {key: said[key] for key in gold} == gold
            stated = [line.rpartition(": ")[2] for line in e.text.split("\n")]
            assert all(value in stated for value in said.values())
            kinds["lavish"] += 1
    share = {kind: number / sum(kinds.values()) for kind, number in kinds.items()}
    # Where all is stated the lavish say no more than the careful, and the sparing may leave nothing out.
    assert share["whole"] > CAREFUL - 0.05
    assert 0.5 * SPARING < share["sparing"] < SPARING + 0.05
    assert 0.5 * (1 - CAREFUL - SPARING) < share["lavish"] < 1 - CAREFUL - SPARING + 0.05


def test_without_gold_there_is_nothing_to_say() -> None:
    bare = TRAIN[0].model_copy(update={"reference": None})
    for clerk in (careful, mixed):
        with pytest.raises(DataError, match="has no values"):
            clerk(bare, random.Random(0))
