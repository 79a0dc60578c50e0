"""The named protocols on rows whose scores are counted by hand."""

from __future__ import annotations

import pytest

from bythebook.metrics.extraction import Counts, total
from bythebook.metrics.protocols import PROTOCOLS, Row, Rules, count_by_type, facts_of
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span

TEXT = "The Saw cuts oak and the saw cuts elm ."
DECLARED = frozenset({"Tool", "Wood", "Cuts", "Beside"})


def entity(text: str, kind: str | None = "Tool", at: int | None = None) -> ExtractedEntity:
    return ExtractedEntity(text=text, type=kind, span=None if at is None else Span(start=at, end=at + len(text)))


SAW, SECOND = entity("Saw", at=4), entity("saw", at=25)
OAK, ELM = entity("oak", "Wood", 13), entity("elm", "Wood", 34)


def relation(head: ExtractedEntity, kind: str, tail: ExtractedEntity) -> ExtractedRelation:
    return ExtractedRelation(head=head, type=kind, tail=tail)


GOLD = Extraction(
    entities=(SAW, OAK, SECOND, ELM), relations=(relation(SAW, "Cuts", OAK), relation(SECOND, "Cuts", ELM))
)


def row(gold: Extraction = GOLD, *samples: Extraction) -> Row:
    return Row.of("r1", gold, samples, text=TEXT, declared=DECLARED)


def found(name: str, predicted: Extraction, gold: Extraction = GOLD, rules: Rules | None = None) -> Counts:
    """The counts of one answer by the protocol."""
    asked = row(gold, predicted)
    return total(count_by_type(PROTOCOLS[name], asked.samples[0], asked, rules or Rules()).values())


def entities(*given: ExtractedEntity) -> Extraction:
    return Extraction(entities=given)


def relations(*given: ExtractedRelation) -> Extraction:
    return Extraction(relations=given)


def test_each_protocol_has_its_name() -> None:
    assert [p.name for p in PROTOCOLS.values()] == list(PROTOCOLS)
    assert set(PROTOCOLS) == {
        "ner", "rel", "rel_plus", "ner_offsets", "rel_offsets", "rel_plus_offsets", "typed_text_multiset",
        "typed_text_multiset_rel", "normalised_set", "docred_ign_f1", "r2grpo_release", "r2grpo_release_ner",
    }  # fmt: skip


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_gold_is_right_against_itself(name: str, raw: bool) -> None:
    counts = found(name, GOLD, rules=Rules(raw=raw))
    assert (counts.fp, counts.fn, counts.f1) == (0, 0, 1.0)
    assert counts.tp > 0


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_empty_answer_misses_all_and_invents_nothing(name: str) -> None:
    counts = found(name, Extraction())
    assert (counts.tp, counts.fp, counts.f1) == (0, 0, 0.0)
    assert counts.fn > 0


@pytest.mark.parametrize("name", PROTOCOLS)
def test_nothing_to_find_and_nothing_found_counts_nothing(name: str) -> None:
    assert found(name, Extraction(), Extraction()) == Counts()


def test_ner_is_the_exact_set_of_text_and_type() -> None:
    given = entities(SAW, SAW, entity("oak", "Tool"), entity("Elm", "Wood"))
    assert found("ner", given) == Counts(1, 2, 3)


def test_rel_passes_over_types_and_rel_plus_does_not() -> None:
    given = relations(relation(entity("Saw", "Wood"), "Cuts", OAK))
    assert found("rel", given) == Counts(1, 0, 1)
    assert found("rel_plus", given) == Counts(0, 1, 2)


def test_rel_plus_reads_the_types_of_arguments_from_the_entities() -> None:
    bare = relation(entity("Saw", None), "Cuts", entity("oak", None))
    assert found("rel_plus", Extraction(entities=(SAW, OAK), relations=(bare,))) == Counts(1, 0, 1)
    assert found("rel_plus", Extraction(entities=(entity("Saw", "Wood"), OAK), relations=(bare,))) == Counts(0, 1, 2)


def test_offsets_tell_two_mentions_of_one_text_apart() -> None:
    gold = Extraction(
        entities=(entity("saw", at=4), entity("saw", at=25)),
        relations=(relation(entity("saw", at=4), "Cuts", OAK),),
    )
    once = Extraction(entities=(entity("saw", at=25),), relations=(relation(entity("saw", "Wood", 4), "Cuts", OAK),))
    assert found("ner", once, gold) == Counts(1, 0, 0)
    assert found("ner_offsets", once, gold) == Counts(1, 0, 1)
    assert found("rel_offsets", once, gold) == Counts(1, 0, 0)
    assert found("rel_plus_offsets", once, gold) == Counts(0, 1, 1)


def test_gollie_compares_entities_without_case_and_as_often_as_they_stand() -> None:
    # 'saw' in any case stands twice in the text and twice in the gold; the third is more than the source has.
    assert found("typed_text_multiset", entities(*[entity("SAW ")] * 3)) == Counts(2, 0, 2)
    assert found("typed_text_multiset", entities(entity("saw"))) == Counts(1, 0, 3)


def test_gollie_drops_what_is_not_in_the_source_or_not_declared() -> None:
    given = entities(OAK, entity("ash", "Wood"), entity("saw", "Brand"), entity("  "))
    assert found("typed_text_multiset", given) == Counts(1, 0, 3)
    assert found("ner", given) == Counts(1, 3, 3)
    wild = relations(relation(SAW, "Loves", OAK), relation(SAW, "Cuts", entity("ash")))
    assert found("typed_text_multiset_rel", wild) == Counts(0, 0, 2)
    assert found("rel", wild) == Counts(0, 2, 2)


def test_gollie_relations_are_a_multiset_of_exact_arguments() -> None:
    right = relation(SAW, "Cuts", OAK)
    assert found("typed_text_multiset_rel", relations(right, right)) == Counts(1, 1, 1)
    assert found("typed_text_multiset_rel", relations(relation(entity("saw"), "Cuts", OAK))) == Counts(0, 1, 2)


def test_universal_ner_forgives_case_articles_and_punctuation() -> None:
    given = entities(entity("the saw."), entity("OAK", "Wood"), entity("oak", "Wood"))
    # Both mentions of the saw are one item of the set.
    assert found("normalised_set", given) == Counts(2, 0, 1)


def test_ign_f1_leaves_facts_of_the_training_set_out_of_precision() -> None:
    given = relations(relation(SAW, "Cuts", OAK), relation(OAK, "Cuts", SAW))
    rules = Rules(seen=facts_of([relations(relation(SAW, "Cuts", OAK))]))
    counts = found("docred_ign_f1", given, rules=rules)
    assert counts == Counts(1, 1, 1, seen=1)
    assert (counts.precision, counts.recall, counts.f1) == (0.0, 0.5, 0.0)
    assert found("rel", given, rules=rules) == Counts(1, 1, 1)


def test_wrong_answers_that_training_had_stay_wrong() -> None:
    given = relations(relation(ELM, "Cuts", OAK))
    rules = Rules(seen=facts_of([given]))
    assert found("docred_ign_f1", given, rules=rules) == Counts(0, 1, 2)


def test_a_seen_fact_given_twice_is_seen_once_unless_raw() -> None:
    right = relation(SAW, "Cuts", OAK)
    rules = facts_of([relations(right)])
    gold = relations(right, right)
    assert found("docred_ign_f1", relations(right, right), gold, Rules(seen=rules)) == Counts(1, 0, 0, seen=1)
    assert found("docred_ign_f1", relations(right), gold, Rules(raw=True, seen=rules)) == Counts(2, 0, 0, seen=2)


def test_the_release_forgets_a_text_without_a_right_item() -> None:
    wrong = relations(relation(OAK, "Cuts", SAW), relation(ELM, "Cuts", SAW))
    assert found("rel", wrong) == Counts(0, 2, 2)
    assert found("r2grpo_release", wrong) == Counts(0, 0, 2)
    assert found("r2grpo_release", relations(*wrong.relations, relation(SAW, "Cuts", OAK))) == Counts(1, 2, 1)


def test_the_release_forgets_wrong_types_too_only_where_no_type_is_right() -> None:
    given = entities(entity("oak", "Tool"), entity("elm", "Wood"))
    assert found("r2grpo_release_ner", given) == Counts(1, 1, 3)
    assert found("r2grpo_release_ner", entities(entity("oak", "Tool"))) == Counts(0, 0, 4)


def test_symmetric_relations_are_right_in_both_orders_in_every_protocol() -> None:
    gold = relations(relation(SAW, "Beside", OAK))
    turned = relations(relation(OAK, "Beside", SAW))
    rules = Rules(symmetric=frozenset({"Beside"}))
    for name, p in PROTOCOLS.items():
        if p.of == "relations":
            assert found(name, turned, gold).tp == 0
            assert found(name, turned, gold, rules) == Counts(1, 0, 0)


def test_symmetric_facts_were_seen_in_either_order() -> None:
    gold = relations(relation(SAW, "Beside", OAK))
    rules = Rules(symmetric=frozenset({"Beside"}), seen=facts_of([relations(relation(OAK, "Beside", SAW))]))
    assert found("docred_ign_f1", gold, gold, rules).seen == 1


def test_counts_are_told_by_type() -> None:
    given = entities(SAW, ELM, entity("rope", "Cord"), entity("Saw", None))
    by_type = count_by_type(PROTOCOLS["ner"], given, row(), Rules())
    assert by_type == {
        "Tool": Counts(1, 0, 1), "Wood": Counts(1, 0, 1), "Cord": Counts(0, 1, 0), "": Counts(0, 1, 0)
    }  # fmt: skip


def test_raw_counts_take_repeated_gold_as_often_as_it_stands() -> None:
    gold = relations(*[relation(SAW, "Cuts", OAK)] * 3, relation(SAW, "Cuts", ELM))
    given = relations(relation(SAW, "Cuts", OAK), relation(SAW, "Cuts", SAW))
    assert found("rel", given, gold) == Counts(1, 1, 1)
    assert found("rel", given, gold, Rules(raw=True)) == Counts(3, 1, 1)
