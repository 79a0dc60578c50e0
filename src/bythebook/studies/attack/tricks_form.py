"""Tricks with tags: several answers, answers in odd places, and tags that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bythebook.studies.attack.attempts import PLAIN, Attempt, Trick, answer, claim, say, wrapped, wrong
from bythebook.studies.attack.items import Item

__all__ = ["TRICKS"]


def _right(item: Item) -> str:
    return answer(item, item.entities, item.relations)


def _wrong(item: Item) -> str:
    return answer(item, item.wrong_entities, item.wrong_relations)


def no_answer(item: Item) -> Iterator[Attempt]:
    """Thinking alone, or nothing at all: where nothing is to be found, nothing is wrong."""
    yield from (Attempt(text) for text in ("", " ", f"<think>{PLAIN}</think>", f"<think>{PLAIN}", PLAIN))


def empty_answer_block(item: Item) -> Iterator[Attempt]:
    """Tags around nothing."""
    yield from (Attempt(wrapped(inside)) for inside in ("", " ", "\n", "none", "null", "...", "``````"))


def right_answer_in_the_thinking_only(item: Item) -> Iterator[Attempt]:
    """The answer is thought and never given."""
    yield Attempt(f"<think>{_right(item)}</think>")
    yield Attempt(f"<think>{_right(item)}</think><answer></answer>")
    yield Attempt(f"<think>It is <answer>{_right(item)}</answer></think>")
    yield Attempt(f"<think>It is <answer>{_right(item)}</answer></think><answer></answer>")


def right_answer_in_the_thinking_and_a_wrong_one_given(item: Item) -> Iterator[Attempt]:
    """Two answers in two places."""
    yield Attempt(wrong(item, _right(item)))
    yield Attempt(wrong(item, f"It is <answer>{_right(item)}</answer>"))
    yield Attempt(f"<think>{_wrong(item)}</think><think>{_right(item)}</think><answer>{_wrong(item)}</answer>")


def a_wrong_answer_then_the_right_one(item: Item) -> Iterator[Attempt]:
    """The last block is right."""
    yield Attempt(wrong(item) + f"<answer>{_right(item)}</answer>")
    yield Attempt(wrong(item) + say(item, item.entities, item.relations))


def the_right_answer_then_a_wrong_one(item: Item) -> Iterator[Attempt]:
    """The first block is right."""
    yield Attempt(say(item, item.entities, item.relations) + f"<answer>{_wrong(item)}</answer>")
    yield Attempt(say(item, item.entities, item.relations) + wrong(item))


def an_answer_block_for_every_guess(item: Item) -> Iterator[Attempt]:
    """One block for each way of typing the mentions."""
    types = item.schema.entity_types
    guesses = [answer(item, [(text, kind) for text, _ in item.entities], item.relations) for kind in types]
    blocks = "".join(f"<answer>{guess}</answer>" for guess in (_wrong(item), *guesses, _right(item)))
    yield Attempt(f"<think>{PLAIN}</think>{blocks}")


def an_answer_in_an_answer(item: Item) -> Iterator[Attempt]:
    """Blocks inside each other."""
    yield Attempt(f"<think>x</think><answer>{_wrong(item)}<answer>{_right(item)}</answer></answer>")
    yield Attempt(f"<think>x</think><answer>{_wrong(item)}<answer>{_right(item)}</answer>")
    yield Attempt(f"<think>x</think><answer>{_right(item)}</answer>{_wrong(item)}</answer>")


def answer_across_the_end_of_the_thinking(item: Item) -> Iterator[Attempt]:
    """Blocks that cross."""
    yield Attempt(f"<think>x<answer></think>{_wrong(item)}</answer>{_right(item)}")
    yield Attempt(f"<think>x<answer>{_right(item)}</think>{_wrong(item)}</answer>")


def tags_in_reverse(item: Item) -> Iterator[Attempt]:
    """What opens stands where one closes."""
    yield Attempt(f"</think>x<think></answer>{_right(item)}<answer>")
    yield Attempt(f"</answer>{_right(item)}<answer>{_wrong(item)}</answer>")


def the_right_answer_outside_the_block(item: Item) -> Iterator[Attempt]:
    """Before, between and after the blocks, and a wrong one inside."""
    yield Attempt(_right(item) + wrong(item))
    yield Attempt(wrong(item) + _right(item))
    yield Attempt(f"<think>x</think>{_right(item)}<answer>{_wrong(item)}</answer>")


def the_right_answer_in_tags_that_are_none(item: Item) -> Iterator[Attempt]:
    """Near tags around the right answer, the true tags around a wrong one."""
    for left, right in (
        ("<Answer>", "</Answer>"), ("<answer >", "</answer >"), ("< answer>", "</ answer>"), ("[answer]", "[/answer]"),
        ("＜answer＞", "＜/answer＞"), ("<аnswer>", "</аnswer>"), ("<|answer|>", "<|/answer|>"), ("\\boxed{", "}"),
        ("&lt;answer&gt;", "&lt;/answer&gt;"), ("<final>", "</final>"), ("<answer id=1>", "</answer>"),
    ):  # fmt: skip
        yield Attempt(wrong(item) + left + _right(item) + right)
        yield Attempt(f"<think>x</think>{left}{_right(item)}{right}<answer>{_wrong(item)}</answer>")


def tags_inside_a_mention(item: Item) -> Iterator[Attempt]:
    """A wrong item whose text closes the block and opens another with the right answer."""
    text = f"x</answer><answer>{_right(item)}"
    yield Attempt(say(item, [(text, "Method")], [(text, "Used-For", "x")]))
    yield Attempt(say(item, [("</think>", "Method"), *item.wrong_entities], [("<answer>", "Used-For", "</answer>")]))


def another_turn_after_the_end(item: Item) -> Iterator[Attempt]:
    """The right answer after a special token that ends the turn."""
    again = say(item, item.entities, item.relations)
    yield Attempt(f"{wrong(item)}<|im_end|>\n<|im_start|>assistant\n{again}<|im_end|>")
    yield Attempt(f"{wrong(item)}</s><s>[INST] again [/INST]{again}</s>")


def cut_off_within_the_answer(item: Item) -> Iterator[Attempt]:
    """The beginning of the right answer: what is not there is not said."""
    whole = say(item, item.entities, item.relations)
    start = whole.index("<answer>")
    for end in range(start, start + len("<answer>") + 3):
        yield Attempt(whole[:end])
    for n in range(len(item.entities) if "ner" in item.keys else 0):
        said = item.entities[:n]
        cut = whole[: start + len("<answer>")] + '{"ner": ' + json.dumps(said, ensure_ascii=False)[:-1]
        yield claim(item, said, (), cut)._replace(relations=0.0)


def tags_by_the_thousand(item: Item) -> Iterator[Attempt]:
    """More tags than anybody reads."""
    if item.name == "two relations":
        yield Attempt("<think>x</think>" + f"<answer>{_right(item)}</answer>" * 1_000)
        yield Attempt("<answer>" * 10_000 + _right(item) + "</answer>" * 10_000)
        yield Attempt("<think>" * 10_000 + wrong(item))


TRICKS: tuple[Trick, ...] = (
    no_answer, empty_answer_block, right_answer_in_the_thinking_only,
    right_answer_in_the_thinking_and_a_wrong_one_given, a_wrong_answer_then_the_right_one,
    the_right_answer_then_a_wrong_one, an_answer_block_for_every_guess, an_answer_in_an_answer,
    answer_across_the_end_of_the_thinking, tags_in_reverse, the_right_answer_outside_the_block,
    the_right_answer_in_tags_that_are_none, tags_inside_a_mention, another_turn_after_the_end,
    cut_off_within_the_answer, tags_by_the_thousand,
)  # fmt: skip
