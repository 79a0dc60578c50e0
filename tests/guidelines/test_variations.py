"""Another order, other names: the same guideline to whoever reads it, and gold follows."""

from __future__ import annotations

import random
import re

import pytest
from books import guidelines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bythebook.errors import GuidelineError
from bythebook.guidelines import (
    Variation,
    library_names,
    lint_guideline,
    load_from_library,
    parse_guideline,
    rename_labels,
    rename_relation,
    vary,
    write_guideline,
)
from bythebook.guidelines.mentions import is_ordinary_word, rewrite_mentions
from bythebook.guidelines.variations import varied_guideline, varied_names
from bythebook.schema import Grammar
from bythebook.tasks.world import examples, gold_under, scene_of
from bythebook.types import Entity, Example, Guideline, Label, RelationType, Span

SEEDS = st.integers(0, 9) | st.text(max_size=3)
VARIATIONS = st.builds(
    Variation,
    shuffle_relations=st.none() | SEEDS,
    rename_labels=st.none() | SEEDS,
    permute_labels=st.none() | SEEDS,
)


def _question(book: Guideline, gold: Label | None) -> Example:
    entities = tuple(Entity(id=n, span=Span(start=a, end=b)) for n, a, b in (("e1", 0, 1), ("e2", 2, 3)))
    return Example(id="q", text="a b", entities=entities, gold=gold, guideline=book, domain="d")


# ----------------------------------------------------------------------------------- mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cause-Effect wins.", "<Cause-Effect> wins."),
        (
            "a cause-effect chain; Cause-Effects; Non-Cause-Effect",
            "a cause-effect chain; Cause-Effects; Non-Cause-Effect",
        ),
        ("its role is role(e1,e2) or role(e2, e1)", "its role is <role>(e1,e2) or <role>(e2, e1)"),
        ("choose `role` for a role", "choose `<role>` for a role"),
        ("role and origin; origin alone", "<role> and <origin>; origin alone"),
        ("Cause-Effect, role and origin are rare", "<Cause-Effect>, <role> and <origin> are rare"),
        ("Feeds comes first. Feeds too; but not Feeds.", "Feeds comes first. Feeds too; but not <Feeds>."),
        ("R7 and R70", "<R7> and R70"),
        ("role: a role", "role: a role"),
        ("", ""),
    ],
)
def test_a_mention_is_told_from_a_word(text: str, expected: str) -> None:
    names = ("Cause-Effect", "role", "origin", "Feeds", "R7")
    assert rewrite_mentions(text, names, lambda n: f"<{n}>") == expected


def test_an_overlap_starts_with_labels() -> None:
    def rewritten(text: str) -> str:
        return rewrite_mentions(text, ("role", "origin"), lambda n: f"<{n}>", overlap=True)

    assert rewritten("role: a role") == "<role>: a role"
    assert rewritten("role and origin: a role, an origin") == "<role> and <origin>: a role, an origin"
    assert rewritten("in its role as a leader: a role") == "in its role as a leader: a role"


def test_which_names_look_like_words() -> None:
    assert all(is_ordinary_word(n) for n in ("role", "Feeds", "is part of", "été"))
    assert not any(is_ordinary_word(n) for n in ("part-of", "located_in", "USAGE", "R7", "isA", "Cause-Effect"))


# ----------------------------------------------------------------------------------- renaming

BOOK = parse_guideline("""\
# Kitchen
- Version: 1
- Domain: kitchen
Stir-It and Wrap-It are two; Stir-It(e1,e2) is frequent.

## Relation type: Stir-It
### Definition
one moves the other, unlike Wrap-It
### Direction
symmetric
### Restrictions
- unless Wrap-It holds
### Overlaps
- Wrap-It: the other stays inside.
### Examples
- <e1>a</e1> Stir-It <e2>b</e2> => Stir-It(e1,e2)
### Near misses
- <e1>a</e1> in <e2>b</e2> => Wrap-It(e2,e1): this is Wrap-It
- <e1>a</e1> or <e2>b</e2> => Other: neither

## Relation type: Wrap-It
### Definition
one goes round the other

## No relation: Other
neither Stir-It nor Wrap-It
""")


def test_names_change_wherever_the_guideline_mentions_them_and_in_no_sentence() -> None:
    swapped = rename_labels(BOOK, {"Stir-It": "Wrap-It", "Wrap-It": "Stir-It"})
    first = swapped.relation_types[0]
    assert swapped.preamble == "Wrap-It and Stir-It are two; Wrap-It(e1,e2) is frequent."
    assert (first.name, first.definition) == ("Wrap-It", "one moves the other, unlike Stir-It")
    assert (first.restrictions, first.overlaps) == (("unless Stir-It holds",), ("Stir-It: the other stays inside.",))
    assert first.examples == (("<e1>a</e1> Stir-It <e2>b</e2>", "Wrap-It(e1,e2)"),)
    assert [(m.answer, m.reason) for m in first.near_misses] == [
        ("Stir-It(e2,e1)", "this is Stir-It"),
        ("Other", "neither"),
    ]
    assert swapped.no_relation_definition == "neither Wrap-It nor Stir-It"
    assert rename_labels(swapped, {"Stir-It": "Wrap-It", "Wrap-It": "Stir-It"}) == BOOK


def test_names_that_will_not_do_are_refused() -> None:
    with pytest.raises(GuidelineError, match="no relation 'Cut'"):
        rename_labels(BOOK, {"Cut": "X"})
    with pytest.raises(GuidelineError, match="declared twice: Other"):
        rename_relation(BOOK, "Stir-It", "Other")
    with pytest.raises(GuidelineError, match="may not contain"):
        rename_relation(BOOK, "Stir-It", "a(b")
    assert rename_labels(BOOK, {"Other": "none"}).no_relation == "none"


# ----------------------------------------------------------------------------------- variations


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(book=guidelines(), variation=VARIATIONS, data=st.data())
def test_a_variation_keeps_what_the_gold_means(book: Guideline, variation: Variation, data: st.DataObject) -> None:
    gold = data.draw(st.sampled_from(book.labels))
    one = vary([_question(book, gold)], variation)[0]
    assert one.gold is not None
    assert one.gold in one.guideline.labels
    assert one.gold.direction == gold.direction
    assert len(one.guideline.labels) == len(book.labels)
    before, after = book.relation(gold.name), one.guideline.relation(one.gold.name)
    if before is None:
        assert one.gold == gold
        assert one.gold.name == one.guideline.no_relation
        return
    assert after is not None
    types = varied_names(book, variation).entity_types
    assert (after.head_types, after.tail_types, after.symmetric) == (
        tuple(types.get(t, t) for t in before.head_types),
        tuple(types.get(t, t) for t in before.tail_types),
        before.symmetric,
    )
    assert {t.name for t in one.guideline.entity_types} == {types.get(t.name, t.name) for t in book.entity_types}
    assert [sentence for sentence, _ in after.examples] == [sentence for sentence, _ in before.examples]
    # Undoing the names gives the guideline back, in some order.
    back = varied_names(book, variation).inverse.relations
    assert {r.name for r in one.guideline.relation_types} == set(back) or not back
    plain = varied_guideline(book, Variation(shuffle_relations=variation.shuffle_relations))
    assert [back.get(r.name, r.name) for r in one.guideline.relation_types] == [r.name for r in plain.relation_types]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(book=guidelines(), variation=VARIATIONS)
def test_the_same_seeds_give_the_same_guideline_with_the_same_hash(book: Guideline, variation: Variation) -> None:
    copy = Guideline.model_validate_json(book.model_dump_json())
    varied_guideline.cache_clear()
    one = varied_guideline(book, variation)
    varied_guideline.cache_clear()
    assert varied_guideline(copy, variation).hash == one.hash
    if variation.changes_nothing:
        assert one == book


@pytest.mark.parametrize("name", library_names())
def test_no_label_of_the_library_shines_through_its_codes(name: str) -> None:
    book = load_from_library(name)
    shown = varied_guideline(book, Variation(rename_labels=3, shuffle_relations=3))
    assert all(re.fullmatch(r"R\d+", r.name) for r in shown.relation_types)
    assert all(re.fullmatch(r"T\d+", t.name) for t in shown.entity_types)
    assert len({r.name for r in shown.relation_types}) == len(book.relation_types)
    text = write_guideline(shown)
    for relation in book.relation_types:
        if not is_ordinary_word(relation.name):
            assert not re.search(rf"(?<![\w-]){re.escape(relation.name)}(?![\w-])", text), relation.name
        assert f"{relation.name}(" not in text
    # Answers, overlaps and mentions are consistent: the linter would see a name that is none.
    assert lint_guideline(text) == []
    assert shown.no_relation == book.no_relation


def test_codes_are_none_that_the_guideline_uses() -> None:
    book = parse_guideline(write_guideline(BOOK).replace("Stir-It", "R11").replace("one goes", "R12 R13: one goes"))
    for seed in range(30):
        names = varied_names(book, Variation(rename_labels=seed)).relations
        assert len(names) == 2
        assert {"R11", "R12", "R13"}.isdisjoint(names.values())


def test_seeds_differ_and_each_kind_changes_what_it_says() -> None:
    book = load_from_library("semeval2010")
    names = [r.name for r in book.relation_types]
    orders = {
        tuple(r.name for r in varied_guideline(book, Variation(shuffle_relations=s)).relation_types) for s in range(20)
    }
    assert len(orders) > 15
    assert all(sorted(order) == sorted(names) for order in orders)
    permuted = varied_guideline(book, Variation(permute_labels=1))
    assert sorted(r.name for r in permuted.relation_types) == sorted(names) != [r.name for r in permuted.relation_types]
    assert len({tuple(varied_names(book, Variation(rename_labels=s)).relations.values()) for s in range(20)}) == 20
    assert varied_names(book, Variation(rename_labels=1)) != varied_names(permuted, Variation(rename_labels=1))


@pytest.mark.parametrize(
    "variation", [Variation(shuffle_relations=1), Variation(permute_labels=1), Variation(rename_labels=1)]
)
def test_the_gold_is_what_a_literal_reader_of_the_new_guideline_answers(variation: Variation) -> None:
    before = examples("ood", 80, seed=2)
    after = vary(before, variation)
    assert [e.gold for e in after] == [gold_under(e.guideline, *scene_of(e)) for e in after]
    assert [(e.id, e.text, e.entities) for e in after] == [(e.id, e.text, e.entities) for e in before]
    assert {e.meta["variation"] for e in after} == {variation.text}
    if variation != Variation(shuffle_relations=1):
        assert [e.gold for e in after] != [e.gold for e in before]


def test_examples_of_one_guideline_share_its_rendering_and_none_is_changed() -> None:
    before = examples("id", 40, seed=1, per_guideline=4)
    frozen = [e.model_dump_json() for e in before]
    after = vary(before, Variation(shuffle_relations="a", permute_labels="b"))
    assert [e.model_dump_json() for e in before] == frozen
    shown: dict[str, set[str]] = {}
    for old, new in zip(before, after, strict=True):
        shown.setdefault(old.guideline.hash, set()).add(new.guideline.hash)
    assert len(shown) > 1
    assert all(len(hashes) == 1 for hashes in shown.values())
    assert vary(before, Variation()) == before


def test_an_example_without_gold_stays_without() -> None:
    assert vary([_question(BOOK, None)], Variation(rename_labels=0))[0].gold is None


def test_a_symmetric_relation_stays_so_and_answers_are_read_by_the_new_grammar() -> None:
    one = vary([_question(BOOK, Label(name="Stir-It", direction="(e1,e2)"))], Variation(rename_labels=0))[0]
    grammar = Grammar.of(one.guideline)
    assert one.gold is not None
    assert grammar.read(f"{one.gold.name}(e2,e1)") == one.gold
    assert grammar.knows(one.gold)
    assert not grammar.knows(Label(name="Stir-It", direction="(e1,e2)"))


def test_one_relation_alone_can_be_varied() -> None:
    book = Guideline(title="t", version="1", domain="d", relation_types=(RelationType(name="A", definition="x"),))
    for seed in range(5):
        v = Variation(shuffle_relations=seed, permute_labels=seed)
        assert varied_guideline(book, v) == book
    assert varied_guideline(book, Variation(rename_labels=random.Random(0).random().hex())) != book
