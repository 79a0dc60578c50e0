"""Gold that a model writes comes out of the annotation as gold, with its offsets."""

from __future__ import annotations

from typing import Any

import pytest
from joint_model import Extractor

from bythebook.annotation import annotate
from bythebook.schema import ExtractionSchema
from bythebook.tasks.world.joint import TASK
from bythebook.types import Example


def mention(span: Any, kind: str | None) -> tuple[int, int, str | None]:
    assert span is not None
    return span.start, span.end, kind


@pytest.mark.parametrize("example", TASK.read(None, ood=16, per_guideline=1, seed=3)["ood"], ids=lambda e: e.id)
def test_gold_of_the_world_keeps_its_offsets(example: Example) -> None:
    schema, gold = ExtractionSchema.of(example.guideline), example.extraction
    assert gold is not None
    answer = f"<think>x</think><answer>{schema.write(gold, 'end2end')}</answer>"
    (row,) = annotate([example.text], example.guideline, model=Extractor(lambda text, number: answer))
    by_id = {e["id"]: (e["start"], e["end"], e["type"]) for e in row["entities"]}
    assert set(by_id.values()) == {mention(e.span, e.type) for e in gold.entities}
    found = {(frozenset((by_id[r["head"]][:2], by_id[r["tail"]][:2])), r["type"]) for r in row["relations"]}
    assert found == {
        (frozenset((mention(r.head.span, None)[:2], mention(r.tail.span, None)[:2])), r.type) for r in gold.relations
    }
    assert row["answers"][0]["left_out"] == []
