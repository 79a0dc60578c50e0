"""Grounding: which occurrence a mention means, how it was found, and that nothing breaks it."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.grounding import ground
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span


def grounded(source: str, *texts: str, relations: tuple[tuple[str, str], ...] = ()) -> Extraction:
    extraction = Extraction(
        entities=tuple(ExtractedEntity(text=t) for t in texts),
        relations=tuple(
            ExtractedRelation(head=ExtractedEntity(text=h), type="r", tail=ExtractedEntity(text=t))
            for h, t in relations
        ),
    )
    return ground(extraction, source)


def starts(source: str, *texts: str) -> list[int | None]:
    return [None if e.span is None else e.span.start for e in grounded(source, *texts).entities]


def pairs(source: str, texts: tuple[str, ...], *relations: tuple[str, str]) -> list[tuple[int | None, int | None]]:
    out = grounded(source, *texts, relations=relations).relations
    return [tuple(None if m.span is None else m.span.start for m in (r.head, r.tail)) for r in out]  # type: ignore[misc]


# --------------------------------------------------------------------------------------------------- which occurrence


@pytest.mark.parametrize(
    ("source", "texts", "expected"),
    [
        ("a b a c a", ["a", "b", "a", "c", "a"], [0, 2, 4, 6, 8]),  # in the order of the text
        ("a b a c a", ["b", "a", "c"], [2, 4, 6]),  # the one behind b
        ("a b a c a", ["c", "a"], [6, 8]),
        ("a b a c a", ["a", "a", "a"], [0, 4, 8]),  # a mention named again is the next one
        ("a b a c a", ["a", "a", "a", "a"], [0, 0, 4, 8]),  # named once more than it occurs
        ("a b a c a", ["b", "c", "a"], [2, 6, 8]),
        ("a x b a y b", ["x", "b", "y", "b"], [2, 4, 8, 10]),
        ("x a y a z a", ["x", "y", "z", "a", "a", "a"], [0, 4, 8, 2, 6, 10]),  # two runs, each in order
        ("x a y a z", ["y", "a", "x", "a"], [4, 6, 0, 2]),
    ],
)
def test_items_take_the_occurrences_in_the_order_of_the_answer(
    source: str, texts: list[str], expected: list[int]
) -> None:
    assert starts(source, *texts) == expected


def test_a_mention_inside_a_longer_one_means_its_own_occurrence() -> None:
    source = "a neural network model and a network"
    assert starts(source, "neural network model", "network") == [2, 29]
    assert starts("a neural network model", "neural network model", "network") == [2, 9]


def test_whole_words_come_first() -> None:
    assert starts("concatenate the cat", "cat") == [16]
    assert starts("concatenate", "cat") == [3]
    assert starts("cats and Cat", "cat") == [9]
    assert starts("pre-trained and trained", "trained") == [16]
    assert starts("model-based", "model") == [0]


def test_without_a_choice_the_first_occurrence_is_taken() -> None:
    assert starts("a b a", "a") == [0]


# --------------------------------------------------------------------------------------------------------- alignment


@pytest.mark.parametrize(
    ("source", "text", "found", "alignment"),
    [
        ("the CNN .", "CNN", "CNN", "exact"),
        ("the CNN .", "cnn", "CNN", "case"),
        ("İstanbul is", "İSTANBUL", "İstanbul", "case"),
        ("state - of - the - art", "state-of-the-art", "state - of - the - art", "space"),
        ("two\n  words", "Two words", "two\n  words", "space"),
        ("a word", " word ", "word", "space"),
        ("caf\u00e9 now", "cafe\u0301", "caf\u00e9", "unicode"),
        ("cafe\u0301 now", "caf\u00e9", "cafe\u0301", "unicode"),
        ("cafe\u0301 now", "Caf\u00e9", "cafe\u0301", "unicode"),
        ("the ﬁeld", "field", "ﬁeld", "unicode"),
        ("ＧＰＴ４ .", "gpt4", "ＧＰＴ４", "unicode"),
        ("the “best” one", 'the "best" one', "the “best” one", "unicode"),
        ("`` best '' one", '"best"', "`` best ''", "unicode"),
        ("it’s fine", "it's", "it’s", "unicode"),
        ("long–term", "long-term", "long–term", "unicode"),
        ("co\u00adoperate", "cooperate", "co\u00adoperate", "unicode"),
        ("zero\u200bwidth", "zerowidth", "zero\u200bwidth", "unicode"),
        ("plain", "pl\u200bain", "plain", "unicode"),
        ("STRASSE", "straße", "STRASSE", "unicode"),
        ("我们使用卷积神经网络进行分类", "卷积神经网络", "卷积神经网络", "exact"),
        ("使用 BERT模型", "bert", "BERT", "case"),
        ("使用卷积 神经网络", "卷积神经网络", "卷积 神经网络", "space"),
        ("ｶﾞｲﾄﾞ", "ガイド", "ｶﾞｲﾄﾞ", "unicode"),
        ("ภาษาไทย", "ไทย", "ไทย", "exact"),
        ("I 👍🏽 it", "👍🏽", "👍🏽", "exact"),
        ("한국어 text", unicodedata.normalize("NFD", "한국어"), "한국어", "unicode"),
    ],
)
def test_how_a_mention_is_found(source: str, text: str, found: str, alignment: str) -> None:
    entity = grounded(source, text).entities[0]
    assert entity.span is not None
    assert entity.span.of(source) == found
    assert entity.alignment == alignment
    assert entity.text == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("the CNN .", "RNN"),
        ("the CNN .", ""),
        ("the CNN .", " \u00a0"),
        ("the CNN .", "\u200b"),
        ("", "CNN"),
        ("cafe\u0301", "cafe"),  # without its mark it is another letter
        ("caf\u00e9", "cafe"),
        ("cafe", "caf\u00e9"),
        ("the ﬁeld", "feld"),
        ("👩\u200d🔬", "👩"),
    ],
)
def test_what_is_not_there_is_flagged(source: str, text: str) -> None:
    entity = grounded(source, text).entities[0]
    assert entity.span is None
    assert entity.alignment == "ungrounded"


def test_a_missing_mention_does_not_disturb_the_others() -> None:
    assert starts("a b a c", "b", "nowhere", "a", "c") == [2, None, 4, 6]


# --------------------------------------------------------------------------------------------------------- relations


@pytest.mark.parametrize(
    ("source", "texts", "relations", "expected"),
    [
        ("a b c a", ("a", "b", "c", "a"), [("a", "c")], [(6, 4)]),  # the nearest pair
        ("a b c a", ("a", "b", "c", "a"), [("a", "b")], [(0, 2)]),
        ("a b - a b", ("a", "b", "a", "b"), [("a", "b"), ("a", "b")], [(0, 2), (6, 8)]),  # listed twice: two pairs
        ("a b", ("a", "b"), [("a", "b"), ("a", "b")], [(0, 2), (0, 2)]),
        ("a x a", ("a", "a"), [("a", "a")], [(0, 4)]),  # not with itself
        ("a b b", ("a",), [("a", "b")], [(0, 2)]),  # an argument that is no entity
        ("x y", ("x",), [("x", "z")], [(0, None)]),
    ],
)
def test_arguments_take_the_places_of_entities(
    source: str, texts: tuple[str, ...], relations: list[tuple[str, str]], expected: list[tuple[int | None, int | None]]
) -> None:
    assert pairs(source, texts, *relations) == expected


def test_arguments_have_the_alignment_of_their_entity_and_keep_their_type() -> None:
    head = ExtractedEntity(text="cnn", type="Method")
    tail = ExtractedEntity(text="z")
    extraction = Extraction(entities=(head,), relations=(ExtractedRelation(head=head, type="r", tail=tail),))
    relation = ground(extraction, "the CNN").relations[0]
    assert relation.head == ExtractedEntity(text="cnn", type="Method", span=Span(start=4, end=7), alignment="case")
    assert relation.tail == ExtractedEntity(text="z", alignment="ungrounded")


def test_an_argument_takes_the_entity_of_its_type() -> None:
    entities = (ExtractedEntity(text="a", type="X"), ExtractedEntity(text="b"), ExtractedEntity(text="a", type="Y"))
    relation = ExtractedRelation(head=ExtractedEntity(text="a", type="Y"), type="r", tail=ExtractedEntity(text="b"))
    out = ground(Extraction(entities=entities, relations=(relation,)), "a b and then a")
    assert out.relations[0].head.span == Span(start=13, end=14)


def test_spans_that_are_known_stay_and_those_of_the_prompt_are_used() -> None:
    source = "a b a b"
    known = ExtractedEntity(text="a", span=Span(start=4, end=5))
    assert ground(Extraction(entities=(known,)), source).entities == (known,)
    relation = ExtractedRelation(head=ExtractedEntity(text="a"), type="r", tail=ExtractedEntity(text="b"))
    given_pair = Extraction(entities=(known, ExtractedEntity(text="b", span=Span(start=6, end=7))))
    out = ground(Extraction(relations=(relation,)), source, given=given_pair).relations[0]
    assert (out.head.span, out.tail.span) == (Span(start=4, end=5), Span(start=6, end=7))


# ------------------------------------------------------------------------------------------------------ any text


_LETTERS = st.text(alphabet="aB \u0301éﬁß中\u200b-–’'\"“👩\u200d🔬İ", max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(source=_LETTERS | st.text(max_size=12), texts=st.lists(_LETTERS | st.text(max_size=4), max_size=5))
def test_any_text_is_grounded_and_spans_lie_inside(source: str, texts: list[str]) -> None:
    texts = [t for t in texts if t.isprintable()]
    out = grounded(source, *texts, relations=tuple(pairwise(texts)))
    assert [e.text for e in out.entities] == texts
    mentions = [*out.entities, *(m for r in out.relations for m in (r.head, r.tail))]
    for mention in mentions:
        assert (mention.span is None) is (mention.alignment == "ungrounded")
        if mention.span is not None:
            found = mention.span.of(source)
            assert found
            assert (found == mention.text) >= (mention.alignment == "exact")
    assert out == grounded(source, *texts, relations=tuple(pairwise(texts)))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(words=st.lists(st.sampled_from(["CNN", "the model", "Straße", "卷积", "é"]), min_size=1, max_size=8))
def test_mentions_in_the_order_of_the_text_are_where_they_stand(words: list[str]) -> None:
    source = " , ".join(words)
    at, expected = 0, []
    for word in words:
        expected.append(at)
        at += len(word) + 3
    assert starts(source, *words) == expected
    other_form = unicodedata.normalize("NFD", source.upper())
    assert all(s is not None for s in starts(other_form, *words))


@pytest.mark.parametrize("source", ["a b " * 250_000, "e\u0301 " * 330_000])
def test_a_million_characters_and_a_thousand_items_are_grounded(source: str) -> None:
    texts = ["a", "b", "A b", "aa", "E\u0301", "nowhere"] * 170
    out = grounded(source, *texts, relations=(("a", "b"),) * 200)
    assert len(out.entities) == len(texts)
    assert [e.alignment for e in out.entities if e.text == "nowhere"] == ["ungrounded"] * 170
