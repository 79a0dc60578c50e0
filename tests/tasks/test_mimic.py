"""What MimicSFT imitates: a plan that says nothing of the gold, then the gold."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from bythebook.errors import DataError
from bythebook.parsing import TAG_SETS, parse_extraction
from bythebook.prompts.plans import plan
from bythebook.schema import ExtractionSchema
from bythebook.tasks.mimic import EITHER_TARGETS, EXTRACTION_TARGETS, mimic
from bythebook.tasks.world import stream
from bythebook.tasks.world.joint import TASK

SUB_TASKS = ("ner", "re", "re_plus", "end2end")


@pytest.mark.parametrize("sub_task", SUB_TASKS)
def test_the_target_is_a_plan_and_the_gold_in_the_form_that_is_asked(sub_task: str) -> None:
    rows = TASK.read(None, ood=20, sub_tasks=sub_task)["ood"]
    assert rows
    for row in rows:
        target = mimic(row, random.Random(0))
        schema = ExtractionSchema.of(row.guideline)
        read = parse_extraction(target, schema, row.sub_task, source=row.text, tags=TAG_SETS["plan"], given=row.given)
        assert read.well_formed
        assert read.anchored
        assert read.extraction is not None
        assert row.extraction is not None
        assert schema.write(read.extraction, row.sub_task) == schema.write(row.extraction, row.sub_task)
        assert read.thinking is not None
        assert row.text in read.thinking
        assert [line[:2] for line in read.thinking.splitlines()[-5:]] == ["1.", "2.", "3.", "4.", "5."]


@pytest.mark.parametrize("sub_task", SUB_TASKS)
def test_the_plan_does_not_hang_on_the_gold(sub_task: str) -> None:
    for row in TASK.read(None, ood=10, sub_tasks=sub_task)["ood"]:
        assert plan(row) == plan(row.model_copy(update={"extraction": None}))


def test_the_answer_alone_is_its_control() -> None:
    for row in TASK.read(None, ood=10)["ood"]:
        rng = random.Random(0)
        assert mimic(row, rng).endswith(EXTRACTION_TARGETS["answer"](row, rng))
        assert EITHER_TARGETS["answer"](row, rng) == EXTRACTION_TARGETS["answer"](row, rng)


def test_labels_have_no_plan_and_no_gold_is_no_target() -> None:
    (label,) = islice(stream("ood", seed=0), 1)
    with pytest.raises(ValueError, match="no plan"):
        plan(label)
    with pytest.raises(DataError, match="sub_task"):
        mimic(label, random.Random(0))
    assert EITHER_TARGETS["answer"](label, random.Random(0)).endswith("</answer>")
    (row,) = TASK.read(None, ood=1)["ood"]
    with pytest.raises(DataError, match="no gold"):
        mimic(row.model_copy(update={"extraction": None}), random.Random(0))
