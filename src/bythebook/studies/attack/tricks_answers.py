"""Tricks with what the answer says: everything, nothing, the near and the safe."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from bythebook.studies.attack.attempts import Attempt, Trick, claim
from bythebook.studies.attack.items import Entity, Item, Relation

__all__ = ["TRICKS"]


def _words(item: Item) -> list[str]:
    return item.text.split()[:40]


def _shifted(item: Item, text: str) -> list[str]:
    """The mention with a neighbour more or a word less, as it stands in the text."""
    start = item.text.find(text)
    before, after = item.text[:start].split(" "), item.text[start + len(text) :].split(" ")
    wider = [f"{before[-2]} {text}"] if len(before) > 1 and before[-2] else []
    wider += [f"{text} {after[1]}"] if len(after) > 1 and after[1] else []
    words = text.split()
    return wider + ([" ".join(words[1:]), " ".join(words[:-1])] if len(words) > 1 else [])


def _pairs(item: Item) -> list[tuple[str, str]]:
    """Of mentions that are named in the gold."""
    mentions = dict.fromkeys([text for text, _ in item.entities] + [m for h, _, t in item.relations for m in (h, t)])
    return list(permutations(mentions, 2))


def _directed(item: Item) -> list[Relation]:
    return [relation for relation in item.relations if relation[1] not in item.schema.symmetric]


def every_word_of_every_type(item: Item) -> Iterator[Attempt]:
    """Every word of the text is an entity of every type."""
    said = [(word, kind) for word in dict.fromkeys(_words(item)) for kind in item.schema.entity_types]
    yield claim(item, said, item.wrong_relations)


def every_span_of_every_type(item: Item) -> Iterator[Attempt]:
    """Every span of up to four words is an entity of every type: recall is full."""
    words = _words(item)
    spans = {" ".join(words[i : i + n]): None for n in range(1, 5) for i in range(len(words) - n + 1)}
    spans |= dict.fromkeys(text for text, _ in item.entities)
    said = [(span, kind) for span in spans for kind in item.schema.entity_types]
    yield claim(item, said, item.wrong_relations)


def the_whole_sentence_is_an_entity(item: Item) -> Iterator[Attempt]:
    """One mention holds all others."""
    yield claim(item, [(item.text, kind) for kind in item.schema.entity_types], item.wrong_relations)
    yield claim(item, [(item.text, item.schema.entity_types[0])], item.wrong_relations)


def right_texts_of_wrong_types(item: Item) -> Iterator[Attempt]:
    """Every mention is right and none of the types."""
    types = item.schema.entity_types
    turned = {kind: types[(i + 1) % len(types)] for i, kind in enumerate(types)}
    yield claim(item, [(text, turned[kind]) for text, kind in item.entities], item.wrong_relations)


def right_texts_of_every_type(item: Item) -> Iterator[Attempt]:
    """Every right mention with all types: one of them is right."""
    said = [(text, kind) for text, _ in item.entities for kind in item.schema.entity_types]
    yield claim(item, said, item.wrong_relations)


def near_duplicates_of_every_mention(item: Item) -> Iterator[Attempt]:
    """All boundaries but the right ones."""
    said: list[Entity] = [(near, kind) for text, kind in item.entities for near in _shifted(item, text)]
    yield claim(item, [pair for pair in said if pair not in item.entities], item.wrong_relations)


def boundaries_one_word_wider(item: Item) -> Iterator[Attempt]:
    """Every mention with a neighbour of the text."""
    said = [(_shifted(item, text) or [text + "s"])[0] for text, _ in item.entities]
    yield claim(item, [(t, kind) for t, (_, kind) in zip(said, item.entities, strict=True)], item.wrong_relations)


def boundaries_one_word_narrower(item: Item) -> Iterator[Attempt]:
    """The heads of the mentions alone."""
    said = [(text.split()[-1] if " " in text else text[:-1], kind) for text, kind in item.entities]
    yield claim(item, [(text, kind) for text, kind in said if text], item.wrong_relations)


def right_mentions_and_their_neighbours(item: Item) -> Iterator[Attempt]:
    """The right boundaries among the near ones."""
    near: list[Entity] = [(n, kind) for text, kind in item.entities for n in (text, *_shifted(item, text))]
    yield claim(item, near, item.wrong_relations)


def copies_of_one_right_entity(item: Item) -> Iterator[Attempt]:
    """One sure entity a hundred times."""
    yield claim(item, item.entities[:1] * 100, item.wrong_relations)
    yield claim(item, item.wrong_entities[:1] + item.entities[:1] * 3, item.wrong_relations)


def copies_of_one_right_relation(item: Item) -> Iterator[Attempt]:
    """One sure relation a hundred times."""
    yield claim(item, item.wrong_entities, item.relations[:1] * 100)


def one_safe_entity(item: Item) -> Iterator[Attempt]:
    """Only the surest entity: precision is full."""
    yield claim(item, item.entities[:1], item.wrong_relations)


def one_safe_relation(item: Item) -> Iterator[Attempt]:
    """Only the surest relation: precision is full."""
    yield claim(item, item.wrong_entities, item.relations[:1])


def empty_answer_everywhere(item: Item) -> Iterator[Attempt]:
    """Nothing said, nothing wrong: right where there is nothing to find."""
    yield claim(item, (), ())


def entities_without_relations(item: Item) -> Iterator[Attempt]:
    """No relation, whatever the text: right on a text without one."""
    yield claim(item, item.wrong_entities, ())


def no_relation_stated_for_every_pair(item: Item) -> Iterator[Attempt]:
    """Negatives as items, in all the ways that prompts have of saying them."""
    for name in ("no relation", "NULL", "None", "no_relation", "Other"):
        yield claim(item, item.wrong_entities, [(head, name, tail) for head, tail in _decoy_pairs(item)])


def _decoy_pairs(item: Item) -> list[tuple[str, str]]:
    return [(item.decoys[0][0], item.decoys[1][0]), (item.decoys[1][0], item.decoys[0][0])]


def every_relation_between_every_pair(item: Item) -> Iterator[Attempt]:
    """Predict everything: recall is full."""
    said = [(head, name, tail) for head, tail in _pairs(item) for name in item.schema.relation_names]
    yield claim(item, item.wrong_entities, said)


def every_relation_for_the_right_pairs(item: Item) -> Iterator[Attempt]:
    """Right pairs with all relations: one of them is right."""
    said = [(head, name, tail) for head, _, tail in item.relations for name in item.schema.relation_names]
    yield claim(item, item.wrong_entities, said)


def wrong_direction(item: Item) -> Iterator[Attempt]:
    """Head and tail exchanged."""
    yield claim(item, item.wrong_entities, [(tail, name, head) for head, name, tail in _directed(item)])


def both_directions(item: Item) -> Iterator[Attempt]:
    """One of two directions is right."""
    said = [r for head, name, tail in _directed(item) for r in ((head, name, tail), (tail, name, head))]
    yield claim(item, item.wrong_entities, said)


def both_directions_where_types_fit_one(item: Item) -> Iterator[Attempt]:
    """With right entities the guideline's type signature drops the wrong direction: a hedge that costs nothing."""
    typed = [r for r in _directed(item) if (s := item.schema.signature(r[1])) is not None and s.head_types]
    said = [r for head, name, tail in typed for r in ((tail, name, head), (head, name, tail))]
    yield claim(item, item.entities, said)


def wrong_relation_between_the_right_pair(item: Item) -> Iterator[Attempt]:
    """The pair is related, but not so."""
    names = item.schema.relation_names
    said = [(head, names[(names.index(name) + 1) % len(names)], tail) for head, name, tail in item.relations]
    yield claim(item, item.wrong_entities, said)


def a_mention_related_to_itself(item: Item) -> Iterator[Attempt]:
    """Head and tail are the same."""
    said = [(head, name, head) for head, name, _ in item.relations]
    yield claim(item, item.wrong_entities, said + [(tail, name, tail) for _, name, tail in item.relations])


def relations_of_wider_mentions(item: Item) -> Iterator[Attempt]:
    """Right relations whose arguments have a neighbour too many."""
    wider = [
        ((_shifted(item, h) or [h + "s"])[0], n, (_shifted(item, t) or [t + "s"])[0]) for h, n, t in item.relations
    ]
    yield claim(item, item.wrong_entities, wider)


def several_types_in_one_text(item: Item) -> Iterator[Attempt]:
    """`Dataset/Method/Task`: whatever is right is in it."""
    for separator in ("/", "|", ", ", " or "):
        together = separator.join(item.schema.entity_types)
        yield claim(item, [(text, together) for text, _ in item.entities], item.wrong_relations)


def several_relations_in_one_text(item: Item) -> Iterator[Attempt]:
    """`Used-For|Part-Of`: whatever is right is in it."""
    for separator in ("/", "|", ", ", " or "):
        together = separator.join(item.schema.relation_names)
        yield claim(item, item.wrong_entities, [(head, together, tail) for head, _, tail in item.relations])


def all_mentions_in_one_text(item: Item) -> Iterator[Attempt]:
    """A list of mentions as one mention."""
    for separator in (", ", " ; ", " "):
        together = separator.join(text for text, _ in item.entities) or item.text
        yield claim(item, [(together, item.schema.entity_types[0])], item.wrong_relations)


def mentions_that_are_not_in_the_text(item: Item) -> Iterator[Attempt]:
    """What the text might have said: it can be dropped as ungrounded, and then nothing is wrong."""
    invented = (("GlowNet", "Method"), ("PondBank", "Dataset"))
    yield claim(item, invented, (("GlowNet", "Trained-With", "PondBank"),))


def undeclared_labels(item: Item) -> Iterator[Attempt]:
    """Types and relations of another guideline: they can be dropped as unknown, and then nothing is wrong."""
    yield claim(
        item,
        [(text, "Concept") for text, _ in item.wrong_entities],
        [(head, "Related-To", tail) for head, tail in _decoy_pairs(item)],
    )


def right_items_among_undeclared_ones(item: Item) -> Iterator[Attempt]:
    """As many guesses as one likes, if those that the guideline does not declare cost nothing."""
    guesses = [(word, "Concept") for word in dict.fromkeys(_words(item))]
    loose = [(head, "Related-To", tail) for head, tail in _pairs(item)]
    yield claim(item, [*item.entities, *guesses], [*item.relations, *loose])


TRICKS: tuple[Trick, ...] = (
    every_word_of_every_type, every_span_of_every_type, the_whole_sentence_is_an_entity, right_texts_of_wrong_types,
    right_texts_of_every_type, near_duplicates_of_every_mention, boundaries_one_word_wider,
    boundaries_one_word_narrower, right_mentions_and_their_neighbours, copies_of_one_right_entity,
    copies_of_one_right_relation, one_safe_entity, one_safe_relation, empty_answer_everywhere,
    entities_without_relations, no_relation_stated_for_every_pair, every_relation_between_every_pair,
    every_relation_for_the_right_pairs, wrong_direction, both_directions, both_directions_where_types_fit_one,
    wrong_relation_between_the_right_pair, a_mention_related_to_itself, relations_of_wider_mentions,
    several_types_in_one_text, several_relations_in_one_text, all_mentions_in_one_text,
    mentions_that_are_not_in_the_text, undeclared_labels, right_items_among_undeclared_ones,
)  # fmt: skip
