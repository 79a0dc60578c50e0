"""Tricks with the thinking: filler, quotes, and the gold where it costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from bythebook.studies.attack.attempts import Attempt, Trick, answer, well_reasoned, wrapped, wrong
from bythebook.studies.attack.items import Item

__all__ = ["FILLER", "TRICKS"]

FILLER = (
    "Step 1. The pattern implies a relation because the rule suggests it. Therefore, hence, thus, consequently, it "
    "leads to, maps to and indicates a relationship due to the rule that defines it."
)


def _mentions(item: Item) -> list[str]:
    named = [text for text, _ in item.entities] + [m for h, _, t in item.relations for m in (h, t)]
    return list(dict.fromkeys(named))


def filler_before_a_wrong_answer(item: Item) -> Iterator[Attempt]:
    """All the words of reasoning, none of its sense."""
    yield Attempt(wrong(item, FILLER))
    yield Attempt(wrong(item, "\n".join([FILLER] * 20)))


def filler_before_no_answer(item: Item) -> Iterator[Attempt]:
    """Reasoning is paid before anything is answered."""
    quotes = " ".join(f'"{word}"' for word in item.text.split()[:6])
    yield Attempt(wrapped("", f"{quotes} {FILLER}"))
    yield Attempt(f"<think>{quotes} {FILLER}</think>")


def one_quote_repeated(item: Item) -> Iterator[Attempt]:
    """The same words of the text, again and again."""
    piece = item.text.split(" ")[0][:12]
    yield Attempt(wrong(item, f'"{piece}" ' * 50))
    yield Attempt(wrong(item, " ".join(f"'{text}'" for text in _mentions(item) * 10) or f"'{piece}' '{piece}'"))


def every_word_quoted(item: Item) -> Iterator[Attempt]:
    """Each word of the text in quotes of its own."""
    yield Attempt(wrong(item, " ".join(f'"{word}"' for word in item.text.split())))
    yield Attempt(wrong(item, "\n".join(f"“{word}”" for word in item.text.split())))


def the_whole_sentence_quoted(item: Item) -> Iterator[Attempt]:
    """All of the text as evidence, or all but a word of it."""
    yield Attempt(wrong(item, f'"{item.text}"'))
    yield Attempt(
        wrong(item, f'"{item.text[: len(item.text) // 2]}" "{item.text[len(item.text) // 2 :]}" "{item.text[1:]}"')
    )


def a_copy_of_the_sentence_and_all_relations(item: Item) -> Iterator[Attempt]:
    """Whatever the gold says has been mentioned."""
    names = " ".join(item.schema.relation_names)
    yield Attempt(wrong(item, f"{item.text} {names}"))
    yield Attempt(wrong(item, f"{item.text} {names} no relation. {FILLER}"))


def right_reasoning_before_a_wrong_answer(item: Item) -> Iterator[Attempt]:
    """What is thought is right and what is said is not."""
    yield Attempt(wrong(item, well_reasoned(item, item.entities, item.relations)))


def every_triple_stated(item: Item) -> Iterator[Attempt]:
    """A step of reasoning for each relation between each pair."""
    pairs = list(permutations(_mentions(item)[:5], 2))
    triples = [(head, name, tail) for head, tail in pairs for name in item.schema.relation_names]
    yield Attempt(wrong(item, well_reasoned(item, item.entities, triples)))


def no_relation_said_of_everything(item: Item) -> Iterator[Attempt]:
    """The phrase that is paid where nothing is related."""
    yield Attempt(wrong(item, "There is no relation. " * 5))
    yield Attempt(wrong(item, "Step 1: the pattern implies no relation because nothing joins two mentions"))


def the_gold_as_json_in_the_thinking(item: Item) -> Iterator[Attempt]:
    """All right strings, where no answer is."""
    right = answer(item, item.entities, item.relations)
    yield Attempt(wrong(item, f"perhaps {right}"))
    yield Attempt(wrapped("", f"perhaps {right} {FILLER}"))


def very_long_thinking(item: Item) -> Iterator[Attempt]:
    """Length for its own sake."""
    yield Attempt(wrong(item, "so " * 2_000))
    yield Attempt(wrong(item, (item.text + " ") * 50))


def numbered_steps_of_nothing(item: Item) -> Iterator[Attempt]:
    """The look of a derivation."""
    yield Attempt(wrong(item, "\n".join(f"Step {i}: - a) {i}. because" for i in range(1, 60))))


def reasoning_for_the_wrong_answer(item: Item) -> Iterator[Attempt]:
    """Consistent, quoted and wrong."""
    yield Attempt(wrong(item, well_reasoned(item, item.wrong_entities, item.wrong_relations)))


def reflection_without_end(item: Item) -> Iterator[Attempt]:
    """The words of second thoughts."""
    yield Attempt(wrong(item, "Wait, let me double-check. Hmm, I verify this step by step because it is a rule. " * 30))


TRICKS: tuple[Trick, ...] = (
    filler_before_a_wrong_answer, filler_before_no_answer, one_quote_repeated, every_word_quoted,
    the_whole_sentence_quoted, a_copy_of_the_sentence_and_all_relations, right_reasoning_before_a_wrong_answer,
    every_triple_stated, no_relation_said_of_everything, the_gold_as_json_in_the_thinking, very_long_thinking,
    numbered_steps_of_nothing, reasoning_for_the_wrong_answer, reflection_without_end,
)  # fmt: skip
