from __future__ import annotations

import random
from itertools import islice

import pytest

from bythebook.errors import DataError, GuidelineError, RecipeError
from bythebook.guidelines import load_from_library, parse_guideline, write_guideline
from bythebook.parsing import parse_tagged_answer
from bythebook.prompts import marked_text
from bythebook.schema import Gold, Grammar
from bythebook.tasks.world import TASK, annotate_as, answer_only, examples, load, scene_of, stream
from bythebook.tasks.world.rules import gold_under, rule_for, rules_of, trained_domains
from bythebook.tasks.world.words import TRAINED_NAMES, UNSEEN_NAMES


def _by_hand(text: str, guideline_text: str) -> str:
    """The gold answer read off prompt text by another route: no scene, no rule object."""
    rules = {}
    for line in guideline_text.splitlines():
        left, _, right = line.removeprefix("- ").partition(": ")
        words = right.rstrip(".").split()
        if words[:1] == ["e1"]:
            rules[words[1]] = (left, words[words.index("unless") + 1] if "unless" in words else None)
    bare = text.replace(",", " ").replace(":", " ").replace(".", " ")
    found = [w for w in bare.split() if w in rules]
    if not found:
        return "Other"
    label, exception = rules[found[0]]
    if exception in bare.split():
        return "Other"
    # e2 acts where its mention is directly followed by (an adverb and) the verb, after "which" or "what"
    before_e2 = bare[: bare.index("<e2>")].split()
    inverted = any(w in ("which", "what") for w in before_e2[-3:]) and bare.index(found[0]) > bare.index("</e2>")
    inverted = inverted and "one" not in bare[bare.index("</e2>") : bare.index(f" {found[0]}")].split()
    if not inverted or bare.lower().startswith("what ") or " what " in bare[: bare.index("<e1>")].lower():
        return label
    return label.replace("(e1,e2)", "(x)").replace("(e2,e1)", "(e1,e2)").replace("(x)", "(e2,e1)")


@pytest.mark.parametrize("split", ["train", "id", "ood", "fresh"])
def test_gold_agrees_with_a_reading_of_the_prompt_alone(split: str) -> None:
    from bythebook.prompts import render_guideline

    for e in examples(split, 400, seed=5, k=(2, 8)):
        assert e.gold is not None
        assert _by_hand(marked_text(e), render_guideline(e.guideline, "rules")) == e.gold.text, marked_text(e)


def test_ids_and_sentences_are_unique_and_streams_of_neighbouring_seeds_share_nothing() -> None:
    many = examples("ood", 3000, seed=0, per_guideline=4)
    assert len({e.id for e in many}) == 3000
    assert len({(e.guideline.hash, e.text) for e in many}) == 3000
    other = {(e.guideline.hash, e.text) for e in examples("ood", 3000, seed=1, per_guideline=4)}
    assert not other & {(e.guideline.hash, e.text) for e in many}


def test_a_stream_is_reproducible() -> None:
    first, second = (list(islice(stream("id", seed=3), 50)) for _ in range(2))
    assert first == second


def test_unseen_guidelines_share_no_label_with_any_that_training_may_use() -> None:
    assert not set(TRAINED_NAMES) & set(UNSEEN_NAMES)
    trained = {r.name for e in examples("fresh", 200, seed=1) for r in e.guideline.relation_types}
    trained |= {r.name for g in trained_domains() for r in g.relation_types}
    unseen = {r.name for e in examples("ood", 200, seed=1) for r in e.guideline.relation_types}
    assert trained <= set(TRAINED_NAMES)
    assert unseen <= set(UNSEEN_NAMES)


@pytest.mark.parametrize("k", [2, 5, 8])
def test_a_guideline_has_k_relation_types_and_declares_no_relation(k: int) -> None:
    for e in examples("ood", 20, seed=2, k=k):
        assert len(e.guideline.relation_types) == k
        assert e.guideline.no_relation == "Other"
        assert parse_guideline(write_guideline(e.guideline)) == e.guideline


def test_k_outside_the_range_is_refused() -> None:
    with pytest.raises(ValueError, match="K must lie in 2…8"):
        examples("ood", 1, seed=0, k=9)


def test_every_case_occurs_and_leads_to_its_gold() -> None:
    seen = set()
    for e in examples("ood", 600, seed=4):
        case = e.meta["case"]
        seen.add(case)
        assert e.gold is not None
        assert (e.gold.text == "Other") == (case in ("no_rule", "exception"))
    assert seen == {"plain", "exception", "exception_not_fired", "no_rule"}


def test_where_e2_acts_the_direction_of_the_rule_is_turned_round() -> None:
    turned = [e for e in examples("ood", 400, seed=6) if e.meta["inverted"] == "true" and e.gold.text != "Other"]
    assert len(turned) > 50
    for e in turned:
        rule = rule_for(e.guideline, e.meta["verb"])
        assert rule is not None
        assert e.gold is not None
        assert e.gold.direction != rule.direction


def test_a_careful_annotator_is_always_right_and_well_formed_and_a_hasty_one_is_not() -> None:
    rng = random.Random(0)
    right = {"careful": 0, "hasty": 0, "guessing": 0}
    sample = examples("ood", 500, seed=7)
    for e in sample:
        assert e.gold is not None
        for annotator in ("careful", "hasty", "guessing"):
            parsed = parse_tagged_answer(annotate_as(annotator, e, rng), Grammar.of(e.guideline))
            assert parsed.well_formed
            right[annotator] += parsed.label == Gold.of(e.gold, e.guideline).label
    assert right["careful"] == 500
    assert 120 < right["hasty"] < 350
    assert right["guessing"] < 150


def test_answer_only_is_read_as_the_gold() -> None:
    for e in examples("id", 50, seed=8):
        parsed = parse_tagged_answer(answer_only(e), Grammar.of(e.guideline))
        assert parsed.label == e.gold
        assert not parsed.well_formed


def test_prose_guidelines_are_not_read_as_rules() -> None:
    guideline = load_from_library("semeval2010")
    with pytest.raises(GuidelineError, match="is not written as the world's rules are"):
        rules_of(guideline)


def test_the_shipped_example_guideline_reads_as_rules() -> None:
    from bythebook.guidelines import load_guideline
    from bythebook.studies.demo_annotations import example_files

    guideline = load_guideline(example_files()[0])
    assert len(rules_of(guideline)) == 6
    assert {r.name for r in guideline.relation_types} <= set(UNSEEN_NAMES)


def test_load_gives_the_splits_asked_for_and_neighbours_under_one_guideline() -> None:
    splits = load(train=60, train_per_guideline=6, fresh_share=0.5, id=8, ood=12, per_guideline=4, k=[2, 8])
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 60, "id": 8, "ood": 12}
    groups = [{e.guideline.hash for e in splits["train"][i : i + 6]} for i in range(0, 60, 6)]
    assert all(len(g) == 1 for g in groups)


def test_unknown_options_and_paths_are_refused_with_a_remedy() -> None:
    with pytest.raises(RecipeError, match=r"world option trainn.*options are: seed"):
        load(trainn=3)
    with pytest.raises(DataError, match="leave --path out"):
        TASK.load("somewhere")


def test_gold_follows_the_scene() -> None:
    e = examples("ood", 1, seed=9)[0]
    assert gold_under(e.guideline, *scene_of(e)) == e.gold
