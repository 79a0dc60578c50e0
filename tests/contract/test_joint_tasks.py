"""What holds for every task of joint extraction with every reward on extractions, and for each of its targets."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tasks import JOINT, SUB_TASKS

from bythebook.guidelines import Variation, vary
from bythebook.parsing import TAG_SETS
from bythebook.rewards import reward, rewards_for
from bythebook.rewards.answers import answer_of
from bythebook.schema import ExtractionGold, ExtractionSchema
from bythebook.tasks import task_named
from bythebook.types import Example, ExtractedEntity, Extraction, FinishReason, Verdict

REWARDS = sorted(rewards_for("extraction"))
MENDED = ("r1_re_triplets", "r2grpo")
"""Those that pay for being right and for nothing else: not the controls, and not the release, which has its faults."""
MOST = {"format_only": 3.0, "r1_re_triplets": 3.0, "r2grpo": 3.967, "r2grpo_release": 3.967, "random": 3.0}
LEAST = {"format_only": -3.0, "r1_re_triplets": -3.0, "r2grpo": 0.0, "r2grpo_release": 0.0, "random": -0.5}
TARGETS = sorted((task, target) for task in JOINT for target in task_named(task).targets)
TAGS_OF = {"mimic": "plan"}
PLAIN = "I have read the text twice and settle on this."
HOSTILE = (
    "",
    " ",
    "\x00",
    "\ud800",
    "<think>",
    "</answer><answer>",
    "<answer></answer>",
    "<answer>null</answer>",
    "<answer>[]</answer>",
    "<answer>{</answer>",
    "{" * 999,
    '<think>t</think><answer>{"ner": [[]], "rel": [[]]}</answer>',
    '<think>t</think><answer>{"ner": {}, "rel": 7}</answer>',
    '<think>t</think><answer>{"ner": [["a", NaN]], "rel": [["a", Infinity, "b"]]}</answer>',
    '<think>t</think><answer>{"ner": [["\\ud800", "x"]], "rel": [[["a"], "b", "c"]]}</answer>',
    '<think>t</think><answer>{"ner": [["a", "b", "c"]], "rel": [["a", "b"]]}</answer>',
)


@lru_cache(maxsize=len(JOINT))
def rows_of(task: str) -> tuple[Example, ...]:
    """Texts of every split, in every sub-task."""
    path, options = JOINT[task]
    splits = task_named(task).read(path, **options, sub_tasks=list(SUB_TASKS)).values()
    return tuple(e for rows in splits for e in rows[:12])


def said(example: Example, extraction: Extraction) -> str:
    """A completion of the right form, whose thinking supports nothing."""
    written = ExtractionSchema.of(example.guideline).write(extraction, example.sub_task)
    return f"<think>{PLAIN}</think><answer>{written}</answer>"


def gold_of(example: Example) -> Extraction:
    assert example.extraction is not None
    return example.extraction


def others(example: Example) -> Iterator[Extraction]:
    """Answers that are not the gold one: with an item less, an item more, another type, another direction."""
    gold, schema = gold_of(example), ExtractionSchema.of(example.guideline)
    keys = schema.keys(example.sub_task)
    if "ner" in keys:
        kinds = schema.entity_types
        if gold.entities:
            first = gold.entities[0]
            same = {e for e in gold.entities if (e.text, e.type) == (first.text, first.type)}
            yield gold.model_copy(update={"entities": tuple(e for e in gold.entities if e not in same)})
            typed = {e.type for e in gold.entities if e.text == first.text}
            for kind in [k for k in kinds if k not in typed][:1]:
                changed = first.model_copy(update={"type": kind})
                yield gold.model_copy(update={"entities": (changed, *(e for e in gold.entities if e not in same))})
        invented = ExtractedEntity(text=f"{example.text[:9]} {example.text[-9:]}", type=kinds[0])
        yield gold.model_copy(update={"entities": (*gold.entities, invented)})
    if "rel" in keys:
        triples = {(r.head.text, r.type, r.tail.text) for r in gold.relations}
        if gold.relations:
            one = gold.relations[0]
            triple = (one.head.text, one.type, one.tail.text)
            rest = tuple(r for r in gold.relations if (r.head.text, r.type, r.tail.text) != triple)
            yield gold.model_copy(update={"relations": rest})
            turned = (one.tail.text, one.type, one.head.text)
            if turned not in triples and one.type not in schema.symmetric:
                back = one.model_copy(update={"head": one.tail, "tail": one.head})
                yield gold.model_copy(update={"relations": (back, *rest)})
            for kind in [k for k in schema.relation_names if (triple[0], k, triple[2]) not in triples][:1]:
                if kind not in schema.symmetric or (triple[2], kind, triple[0]) not in triples:
                    yield gold.model_copy(update={"relations": (one.model_copy(update={"type": kind}), *rest)})


# ----------------------------------------------------------------------------------- every task with every reward


@pytest.mark.parametrize("name", REWARDS)
@pytest.mark.parametrize("task", sorted(JOINT))
def test_the_gold_answer_earns_the_most_of_all_answers(task: str, name: str) -> None:
    judge = reward(name)
    tried = 0
    for e in rows_of(task):
        column = ExtractionGold.of(e).to_json()
        best = judge.verdict(said(e, gold_of(e)), column)
        assert best.value is not None
        assert LEAST[name] <= best.value <= MOST[name] + 1e-9
        if name not in MENDED:
            continue
        assert (best.correct, best.status) == (True, "ok")
        for other in others(e):
            worse = judge.verdict(said(e, other), column)
            assert worse.value is not None
            assert worse.value < best.value
            assert worse.status == "wrong"
            tried += 1
    assert tried > 50 or name not in MENDED


@pytest.mark.parametrize("name", REWARDS)
@pytest.mark.parametrize("task", sorted(JOINT))
def test_a_hostile_completion_has_a_finite_value_and_the_same_one_again(task: str, name: str) -> None:
    reasons: tuple[FinishReason, ...] = ("stop", "length")
    for e in rows_of(task)[:10]:
        column = ExtractionGold.of(e).to_json()
        whole = said(e, gold_of(e))
        texts = [*HOSTILE, *(whole[:end] for end in range(0, len(whole), 17)), whole * 2, whole[::-1], e.text]
        for reason in reasons:
            first, second = reward(name), reward(name)
            for text in texts:
                verdict = first.verdict(text, column, reason)
                assert verdict.value is not None
                assert math.isfinite(verdict.value)
                assert LEAST[name] <= verdict.value <= MOST[name] + 1e-9
                assert sum(part.value for part in verdict.parts.values()) == pytest.approx(verdict.value)
                assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
                assert second.verdict(text, column, reason) == verdict
        assert reward(name).verdict(whole, column, "error").value is None or name == "random"


@pytest.mark.parametrize("name", REWARDS)
@pytest.mark.parametrize("task", sorted(JOINT))
def test_a_batch_is_judged_as_its_completions_one_by_one(task: str, name: str) -> None:
    options = {"batch": "by_prompt"} if name == "r2grpo_release" else {}
    texts, golds = [], []
    for e in rows_of(task)[:16]:
        # Of the release's faults one is that an item that can't be compared takes from its whole group: none here.
        for extraction in (gold_of(e), Extraction(), *list(others(e))[:2]):
            texts.append(said(e, extraction))
            golds.append(ExtractionGold.of(e).to_json())
    together = reward(name, **options)([""] * len(texts), texts, golds)
    alone = reward(name, **options)
    assert together == [alone.verdict(text, gold).value for text, gold in zip(texts, golds, strict=True)]
    assert reward(name, **options)([""] * len(texts), texts, golds) == together


@pytest.mark.parametrize("name", REWARDS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_any_text_has_a_verdict_under_any_gold(name: str, data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(sorted(JOINT)))
    e = data.draw(st.sampled_from(rows_of(task)))
    whole = said(e, gold_of(e))
    pieces = st.sampled_from([*TAG_SETS["think"].tags, whole, whole[40:], '{"ner": [', '["a", ', "]]}", '"', "\ud800"])
    text = data.draw(st.lists(pieces | st.text(max_size=4), max_size=8).map("".join))
    verdict = reward(name).verdict(text, ExtractionGold.of(e).to_json())
    assert verdict.value is not None
    assert LEAST[name] <= verdict.value <= MOST[name] + 1e-9


@pytest.mark.parametrize("name", MENDED)
@pytest.mark.parametrize("task", sorted(JOINT))
def test_what_an_answer_earns_does_not_hang_on_names_and_orders(task: str, name: str) -> None:
    judge = reward(name)
    before = [e for e in rows_of(task) if gold_of(e).entities or gold_of(e).relations]
    assert before
    for variation in (Variation(rename_labels=3, shuffle_relations=3), Variation(permute_labels=5)):
        for old, new in zip(before, vary(before, variation), strict=True):
            earned = [judge.verdict(said(e, gold_of(e)), ExtractionGold.of(e).to_json()) for e in (old, new)]
            assert earned[0].value == earned[1].value
            # The old words are those of no declared type now, or of another one.
            as_before = said(old, gold_of(old))
            crossed = judge.verdict(as_before, ExtractionGold.of(new).to_json())
            assert crossed.correct == (as_before == said(new, gold_of(new)))


# ----------------------------------------------------------------------------------- targets of fine-tuning


@pytest.mark.parametrize(("task", "target"), TARGETS)
def test_every_target_is_in_form_and_says_the_gold_or_is_one_of_the_mixed_annotators(task: str, target: str) -> None:
    write = task_named(task).targets[target]
    tags = TAGS_OF.get(target, "answer" if target == "answer" else "think")
    judge = reward("r2grpo", tags=tags)
    rows = rows_of(task)
    if target in ("careful", "mixed"):
        rows = tuple(e for e in rows if e.sub_task == "end2end")
    assert len(rows) >= 3
    right = 0
    for e in rows:
        text = write(e, random.Random(7))
        assert text == write(e, random.Random(7))
        found = answer_of(judge, text, ExtractionGold.of(e))
        assert found.well_formed
        right += found.correct
        if target != "mixed":
            assert (found.correct, found.verdict.status) == (True, "ok")
    assert right
