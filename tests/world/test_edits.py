from __future__ import annotations

import random

import pytest

from bythebook.errors import GuidelineError
from bythebook.guidelines import drop_restrictions, flip_direction, rename_relation, rotate_names, swap_names
from bythebook.tasks.world import examples
from bythebook.tasks.world.edits import EDITS, edited


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_an_edit_changes_the_gold_and_nothing_of_the_sentence(edit: str) -> None:
    rng = random.Random(1)
    changed = 0
    for e in examples("ood", 300, seed=1):
        after = edited(e, edit, rng)
        if after is None:
            continue
        changed += 1
        assert after.gold != e.gold
        assert (after.text, after.entities, after.id) == (e.text, e.entities, e.id)
        assert after.meta["gold_before"] == (e.gold.text if e.gold else "")
        assert after.guideline != e.guideline
        names = {r.name for r in after.guideline.relation_types}
        assert names == {r.name for r in e.guideline.relation_types}
    assert changed > 30


def test_adding_the_exception_that_fires_leads_to_no_relation_and_dropping_it_back() -> None:
    rng = random.Random(2)
    for e in examples("ood", 200, seed=2):
        added = edited(e, "added_exception", rng)
        if added is not None:
            assert added.gold is not None
            assert added.gold.text == "Other"
            back = edited(added, "dropped_exception", rng)
            assert back is not None
            assert back.gold is not None
            assert back.gold.text != "Other"


def test_swapping_twice_and_rotating_all_round_give_the_guideline_back() -> None:
    g = examples("ood", 1, seed=3, k=4)[0].guideline
    a, b = g.relation_types[0].name, g.relation_types[2].name
    assert swap_names(swap_names(g, a, b), a, b) == g
    turned = g
    for _ in range(4):
        turned = rotate_names(turned)
    assert turned == g
    assert flip_direction(flip_direction(g, a), a) == g


def test_edits_of_an_unknown_relation_are_refused() -> None:
    g = examples("ood", 1, seed=4)[0].guideline
    for change in (flip_direction, drop_restrictions):
        with pytest.raises(GuidelineError, match="no relation 'X'"):
            change(g, "X")
    with pytest.raises(GuidelineError, match="no relation 'X'"):
        swap_names(g, g.relation_types[0].name, "X")
    with pytest.raises(GuidelineError, match="declared twice"):
        rename_relation(g, g.relation_types[0].name, g.relation_types[1].name)
