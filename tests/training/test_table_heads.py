"""Heads for small tables, before any training: from a thing to the cells of its row, in both serialisations."""

from __future__ import annotations

import json
from statistics import fmean
from typing import Any

import pytest
import torch

from bythebook.tasks import task_named
from bythebook.tasks.world.table_themes import table_pieces, table_vocabulary
from bythebook.training.lookup_heads import TABLE_LOOKUP
from bythebook.training.small_models import SmallModelConfig, build_model, build_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer(table_vocabulary(), table_pieces())


def _noted(tokenizer: Any, serialisation: str, heads: Any) -> list[tuple[torch.Tensor, list[int]]]:
    """(attention of layer 1 where the value after ` = ` is due, where the thing was named before) of look-ups."""
    model = build_model(SmallModelConfig(lookup_heads=heads, context=256), tokenizer, seed=0).eval()
    model.set_attn_implementation("eager")
    options = {"small": True, "fewest": 3, "rows": 3, "serialisation": serialisation, "id": 80}
    found: list[tuple[torch.Tensor, list[int]]] = []
    for e in task_named("world_tables").read(None, **options)["id"]:
        if e.domain == "lookup":
            thing = e.text.partition("?")[0].split()[-1]
            assert json.loads(e.reference or "")
            ids = tokenizer(f"{e.text}\n<think>{thing} = ")["input_ids"]
            (name,) = tokenizer(thing)["input_ids"]
            places = [i for i, token in enumerate(ids) if token == name]
            assert len(places) == 3  # in the question, in the table, in the note
            with torch.no_grad():
                seen = model(torch.tensor([ids]), output_attentions=True).attentions[1][0, :, -1]
            found.append((seen, places[:2]))
    assert len(found) == 20
    return found


@pytest.mark.parametrize("serialisation", ["markdown", "csv"])
@pytest.mark.parametrize(("match", "behind"), [((1, 2, 0), 2), ((1, 4, 0), 4)])
def test_a_head_finds_what_stands_so_far_behind_the_thing(
    serialisation: str, match: tuple[int, int, int], behind: int, tokenizer: Any
) -> None:
    head = TABLE_LOOKUP.matches.index(match)
    rows, untouched = (_noted(tokenizer, serialisation, heads) for heads in ("tables", False))
    found = fmean(seen[head, place + behind].item() for seen, places in rows for place in places)
    uniform = fmean(1 / seen.shape[-1] for seen, _ in rows)
    assert found > 5 * uniform
    assert fmean(seen[head, places[1] + behind].item() for seen, places in rows) > 1.5 * uniform  # in the table
    assert fmean(seen[head, place + behind].item() for seen, places in untouched for place in places) < found / 3


def test_a_plan_that_does_not_fit_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="the plan needs 3 layers and 6 heads"):
        build_model(SmallModelConfig(lookup_heads="tables", heads=4), tokenizer, seed=0)
