"""A seeded generator of completions: right ones, ones broken by one to several mutations, and noise."""

from __future__ import annotations

import random
from collections.abc import Callable

_TAGS = ("<think>", "</think>", "<answer>", "</answer>")
_NEAR = (
    "<Answer>", "</ answer>", "<ANSWER>", "< think>", "</think", "answer>", "<answer/>", "<answer >", "<<answer>",
    "＜answer＞", "<аnswer>", "&lt;answer&gt;", "<answer\u200b>", "<think><", "</", "<", ">", "<e1>", "</e2>",
)  # fmt: skip
_TAILS = ("<|im_end|>", "</s>", "<|endoftext|>", "<|im_end|>\n", " </s> </s>", "<|im_start|>", "<pad><pad>", "</s>.")
_WORDS = ("the", "mention", "Cause", "so", "relation", "(e1,e2)", "(e2,e1)", "e1", ",", "Other", "R7", "\n", "  ", "")
_ODD = ("\u200b", "\u00a0", "\x00", "\u202e", "\ud800", "é", "Ａ", "\u2028", "\x85", "\t", "😀", "\r", "\ufeff")

Mutation = Callable[[random.Random, str], str]


def _place(rng: random.Random, text: str) -> int:
    return rng.randint(0, len(text))


def _insert(rng: random.Random, text: str, piece: str) -> str:
    at = _place(rng, text)
    return text[:at] + piece + text[at:]


def insert_tag(rng: random.Random, text: str) -> str:
    return _insert(rng, text, rng.choice(_TAGS))


def insert_near_tag(rng: random.Random, text: str) -> str:
    return _insert(rng, text, rng.choice(_NEAR))


def insert_odd_character(rng: random.Random, text: str) -> str:
    return _insert(rng, text, rng.choice(_ODD))


def insert_word(rng: random.Random, text: str) -> str:
    return _insert(rng, text, rng.choice(_WORDS))


def drop_tag(rng: random.Random, text: str) -> str:
    return text.replace(rng.choice(_TAGS), "", 1)


def repeat_tag(rng: random.Random, text: str) -> str:
    tag = rng.choice(_TAGS)
    return text.replace(tag, tag * rng.randint(2, 3), 1)


def exchange_tags(rng: random.Random, text: str) -> str:
    a, b = rng.sample(_TAGS, 2)
    return text.replace(a, "\x01").replace(b, a).replace("\x01", b)


def change_case(rng: random.Random, text: str) -> str:
    if not text:
        return text
    at = rng.randrange(len(text))
    return text[:at] + text[at].swapcase() + text[at + 1 :]


def delete_piece(rng: random.Random, text: str) -> str:
    at = _place(rng, text)
    return text[:at] + text[at + rng.randint(1, 8) :]


def repeat_piece(rng: random.Random, text: str) -> str:
    at, size = _place(rng, text), rng.randint(1, 60)
    return text[: at + size] + text[at:]


def move_piece(rng: random.Random, text: str) -> str:
    at, size = _place(rng, text), rng.randint(1, 40)
    return _insert(rng, text[:at] + text[at + size :], text[at : at + size])


def cut_off(rng: random.Random, text: str) -> str:
    return text[: _place(rng, text)]


def add_tail(rng: random.Random, text: str) -> str:
    return text + rng.choice(_TAILS) * rng.randint(1, 2)


def add_head(rng: random.Random, text: str) -> str:
    return rng.choice(("Sure: ", "\n\n", "<think>", "<think>\n", " ", "<answer>")) + text


def space_in_answer(rng: random.Random, text: str) -> str:
    return text.replace(*rng.choice(((",e", ", e"), ("(e", " (e"), ("<answer>", "<answer>\n "), (",e", " ,e"))))


def swap_arguments(rng: random.Random, text: str) -> str:
    return text.replace("e1", "\x01").replace("e2", "e1").replace("\x01", "e2")


MUTATIONS: tuple[Mutation, ...] = (
    insert_tag, insert_near_tag, insert_odd_character, insert_word, drop_tag, repeat_tag, exchange_tags, change_case,
    delete_piece, repeat_piece, move_piece, cut_off, add_tail, add_head, space_in_answer, swap_arguments,
)  # fmt: skip


def completion(rng: random.Random, answers: tuple[str, ...], gold: str) -> str:
    """A random completion; about a quarter are in form, half are near it, the rest is anything."""
    answer = gold if rng.random() < 0.4 else rng.choice(answers)
    words = " ".join(rng.choice(_WORDS) for _ in range(rng.randint(0, 12)))
    space = rng.choice(("", "", "\n", " "))
    text = f"<think>{words}</think>{space}<answer>{answer}</answer>"
    kind = rng.random()
    if kind < 0.08:
        text = text.removeprefix("<think>")
    elif kind < 0.14:
        text = f"<answer>{answer}</answer>"
    elif kind < 0.24:
        pieces = (*_TAGS, *_TAGS, *_NEAR, *_WORDS, *_ODD, *_TAILS, *answers)
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(0, 14)))
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 3, 5))):
        text = rng.choice(MUTATIONS)(rng, text)
    return text
