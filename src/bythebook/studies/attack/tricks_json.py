"""Tricks with JSON: repeated keys, numbers that are none, depth, and values of other kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bythebook.studies.attack.attempts import Attempt, Trick, answer, claim, wrapped
from bythebook.studies.attack.items import Item

__all__ = ["TRICKS"]

_HEAVY = "two relations"
"""The one item on which tricks of a megabyte are played."""


def _right(item: Item) -> str:
    return answer(item, item.entities, item.relations)


def _wrong(item: Item) -> str:
    return answer(item, item.wrong_entities, item.wrong_relations)


def repeated_keys(item: Item) -> Iterator[Attempt]:
    """The same key with wrong and with right items: said are all of them."""
    both = item.wrong_entities + item.entities, item.wrong_relations + item.relations
    for first, second in ((_wrong(item), _right(item)), (_right(item), _wrong(item))):
        yield claim(item, *both, wrapped(f"{first[:-1]}, {second[1:]}"))


def keys_in_other_letters(item: Item) -> Iterator[Attempt]:
    """`NER` beside `ner`: whichever is read."""
    for turn in (str.upper, str.title, lambda key: f" {key} ", lambda key: f"{key}s"):
        right = json.loads(_right(item))
        other = json.dumps({turn(key): value for key, value in right.items()}, ensure_ascii=False)
        yield Attempt(wrapped(f"{_wrong(item)[:-1]}, {other[1:]}"))


def more_keys_than_asked_for(item: Item) -> Iterator[Attempt]:
    """The right answer under a key of its own, a score for the whole."""
    yield Attempt(wrapped(f'{_wrong(item)[:-1]}, "gold": {_right(item)}}}'))
    yield Attempt(wrapped(f'{_wrong(item)[:-1]}, "score": 1.0, "f1": 1, "reward": 1e9}}'))
    yield Attempt(wrapped(f'{{"answer": {_wrong(item)}, "alternatives": [{_right(item)}]}}'))


def several_answers_in_one_block(item: Item) -> Iterator[Attempt]:
    """A wrong answer, then the right one, in one block. (The other way round, the first answer is the answer.)"""
    both = item.wrong_entities + item.entities, item.wrong_relations + item.relations
    yield claim(item, *both, wrapped(f"[{_wrong(item)}, {_right(item)}]"))
    for text in ("{w}{r}", "{w}\n{r}", "{w} or {r}", "```json\n{w}\n```\n```json\n{r}\n```"):
        yield Attempt(wrapped(text.replace("{w}", _wrong(item)).replace("{r}", _right(item))))


def the_right_answer_as_a_text(item: Item) -> Iterator[Attempt]:
    """JSON in JSON."""
    yield Attempt(wrapped(json.dumps({key: _right(item) for key in item.keys})))
    yield Attempt(wrapped(json.dumps([_wrong(item), _right(item)])))
    yield Attempt(wrapped(json.dumps({key: [[_right(item), "Method"]] for key in item.keys})))


def the_right_answer_in_a_comment(item: Item) -> Iterator[Attempt]:
    """What a reader of JSON skips, or reads beside the rest."""
    both = item.wrong_entities + item.entities, item.wrong_relations + item.relations
    yield claim(item, *both, wrapped(f"{_wrong(item)[:-1]} /* {_right(item)} */ }}"))
    yield Attempt(wrapped(f"{_wrong(item)}\n// {_right(item)}"))
    yield Attempt(wrapped(f"{_wrong(item)}<!-- {_right(item)} -->"))


def numbers_that_are_none(item: Item) -> Iterator[Attempt]:
    """NaN and infinity, of which nothing is less and nothing more."""
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "-0.0"):
        for value in (number, f"[{number}]", f"[[{number}, {number}]]", f"[[{number}, {number}, {number}]]"):
            yield Attempt(wrapped("{" + ", ".join(f'"{key}": {value}' for key in item.keys) + "}"))


def items_with_a_confidence(item: Item) -> Iterator[Attempt]:
    """A third or fourth part that weighs an item: nothing, everything, or less than nothing."""
    for weight in ("NaN", "Infinity", "1e308", "-1", "0", "true"):
        e = ", ".join(f"{json.dumps([*entity], ensure_ascii=False)[:-1]}, {weight}]" for entity in item.wrong_entities)
        r = ", ".join(f"{json.dumps([*triple], ensure_ascii=False)[:-1]}, {weight}]" for triple in item.wrong_relations)
        halves = {"ner": f"[{e}]", "rel": f"[{r}]"}
        yield Attempt(wrapped("{" + ", ".join(f'"{key}": {halves[key]}' for key in item.keys) + "}"))


def a_million_brackets(item: Item) -> Iterator[Attempt]:
    """Deeper than a reader can go."""
    if item.name == _HEAVY:
        for text in ("[" * 1_000_000, "[" * 500_000 + "]" * 500_000, '{"ner":' * 150_000, '{"ner": ' + "[" * 1_000_000):
            yield Attempt(wrapped(text))


def brackets_by_the_thousand(item: Item) -> Iterator[Attempt]:
    """Deep, yet not too deep for every reader."""
    for depth in (100, 2_000):
        nested = "[" * depth + "]" * depth
        yield Attempt(wrapped("{" + ", ".join(f'"{key}": {nested}' for key in item.keys) + "}"))


def a_number_of_a_hundred_thousand_digits(item: Item) -> Iterator[Attempt]:
    """Longer than a reader can turn into one."""
    if item.name == _HEAVY:
        yield Attempt(wrapped('{"ner": [[' + "9" * 100_000 + ', "Method"]], "rel": []}'))
        yield Attempt(wrapped("-" + "1" * 100_000 + "e-" + "9" * 1_000))


def values_of_another_kind(item: Item) -> Iterator[Attempt]:
    """Where a list is due: nothing, a text, a number, an object, true."""
    for value in (
        "null",
        '"none"',
        "5",
        "{}",
        "true",
        "[null]",
        "[5]",
        '["x"]',
        "[[]]",
        "[{}]",
        "[[[]]]",
        "[[null, null]]",
    ):
        yield Attempt(wrapped("{" + ", ".join(f'"{key}": {value}' for key in item.keys) + "}"))


def answers_of_another_kind(item: Item) -> Iterator[Attempt]:
    """Where an object is due: whatever JSON has."""
    yield from (Attempt(wrapped(text)) for text in ("null", "true", "0", '""', "[]", "{}", "[[]]", "[{}]", '"right"'))


def a_key_left_out(item: Item) -> Iterator[Attempt]:
    """What is not said can't be wrong: where that half of the gold is empty, silence is not the right answer."""
    if len(item.keys) == 2:
        yield Attempt(wrapped(json.dumps({"ner": item.wrong_entities})))
        yield Attempt(wrapped(json.dumps({"rel": item.wrong_relations})))
    yield Attempt(wrapped("{}"))


def a_list_of_labels_for_one_item(item: Item) -> Iterator[Attempt]:
    """`["mention", ["Dataset", "Method"]]`: whichever is right."""
    entities = [(text, list(item.schema.entity_types)) for text, _ in item.entities or item.wrong_entities]
    relations = [
        (head, list(item.schema.relation_names), tail) for head, _, tail in item.relations or item.wrong_relations
    ]
    yield Attempt(wrapped(answer(item, entities, relations)))
    yield Attempt(
        wrapped(json.dumps({key: {"text": "*", "type": list(item.schema.entity_types)} for key in item.keys}))
    )


def wildcards(item: Item) -> Iterator[Attempt]:
    """Labels and mentions that might match whatever they are compared with."""
    for any_label in ("*", ".*", "", "%", "_", "Any", "ANY", "?", None, True):
        entities = [(text, any_label) for text, _ in item.entities or item.wrong_entities]
        relations = [(head, any_label, tail) for head, _, tail in item.relations or item.wrong_relations]
        yield Attempt(wrapped(answer(item, entities, relations)))


def an_item_that_can_not_be_compared(item: Item) -> Iterator[Attempt]:
    """A list in a list among right items: an error may be forgiven, or fall on somebody else."""
    entities = [*item.wrong_entities, [["nested"], "Method"]]
    relations = [*item.wrong_relations, [["nested"], "Used-For", {"a": 1}]]
    yield Attempt(wrapped(answer(item, entities, relations)))


def code_in_place_of_json(item: Item) -> Iterator[Attempt]:
    """Something to be executed."""
    for text in (
        "__import__('os').system('true')", "{'ner': gold.entities, 'rel': gold.relations}", "json.loads(gold)",
        "{{ gold }}", "{gold}", "%(gold)s", "${gold}", "!!python/object/apply:os.system ['true']", "$.ner[*]",
    ):  # fmt: skip
        yield Attempt(wrapped(text))


TRICKS: tuple[Trick, ...] = (
    repeated_keys, keys_in_other_letters, more_keys_than_asked_for, several_answers_in_one_block,
    the_right_answer_as_a_text, the_right_answer_in_a_comment, numbers_that_are_none, items_with_a_confidence,
    a_million_brackets, brackets_by_the_thousand, a_number_of_a_hundred_thousand_digits, values_of_another_kind,
    answers_of_another_kind, a_key_left_out, a_list_of_labels_for_one_item, wildcards,
    an_item_that_can_not_be_compared, code_in_place_of_json,
)  # fmt: skip
