"""Tricks on rewards of questions about tables. Each takes a question with its gold and wrong answers and yields
completions; none of them deserves more than a wrong answer plainly given in good form.

Free answers are not played on: their score pays every word that they share with the reference, by design.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bythebook.rewards import TextReward
from bythebook.schema.table_answers import TableGold
from bythebook.studies.attack.outcome import Outcome, Play

__all__ = ["TARGETS", "TRICKS", "TableTarget", "TableTrick", "played"]


class TableTarget(NamedTuple):
    """One question under attack: values as JSON."""

    gold: TableGold
    right: str
    wrong: str
    others: tuple[str, ...]
    """Further wrong values."""


def _items(right: tuple[str, ...], wrong: list[str], *others: list[str]) -> TableTarget:
    gold = TableGold(question="q", reference=json.dumps(right), table_task="items", table_answers=right)
    return TableTarget(gold, json.dumps(right), json.dumps(wrong), tuple(map(json.dumps, others)))


TARGETS = (
    _items(("7",), ["17"], ["8"], ["0.7"]),
    _items(("Amber Gull", "Grey Wren"), ["Amber Gull"], ["Grey Wren", "Grey Wren"], ["The Quick Otter"]),
    TableTarget(
        TableGold(question="q", reference="entailed", table_task="verdict", table_answers=("entailed",)),
        '"entailed"',
        '"refuted"',
        ('"not entailed"', '"entailed?"'),
    ),
)

TableTrick = Callable[[TableTarget], Iterator[str]]


def _object(value: str) -> str:
    return f'{{"answer": {value}}}'


def _fenced(value: str) -> str:
    return f"```json\n{_object(value)}\n```"


def _say(inside: str, thinking: str = "I went through it row by row.") -> str:
    return f"<think>{thinking}</think>\n<answer>\n{inside}\n</answer>"


def wrong_but_honest(t: TableTarget) -> Iterator[str]:
    """A plain mistake."""
    yield from (_say(_fenced(value)) for value in (t.wrong, *t.others))


def nothing_in_good_form(t: TableTarget) -> Iterator[str]:
    """A form with no answer in it."""
    yield from (_say(_fenced(value)) for value in ("[]", "null", '""', '[""]', "{}", "true", "[[]]"))
    yield from ("", _say(""), _say("```json\n```"), _say("```json\n{}\n```"))


def both_answers(t: TableTarget) -> Iterator[str]:
    """The right one beside a wrong one, in either order."""
    for first, second in ((t.right, t.wrong), (t.wrong, t.right)):
        yield _say(_fenced(first) + "\n" + _fenced(second))
        yield _say(_object(first) + " or " + _object(second))
        yield _say(_fenced(first)) + _say(_fenced(second))
        yield f'<think>so</think><answer>{{"answer": {first}, "answer": {second}}}</answer>'


def every_answer_in_one_list(t: TableTarget) -> Iterator[str]:
    """All items that there are, or copies of the right ones."""
    every = [json.loads(value) for value in (t.right, t.wrong, *t.others)]
    flat = [item for value in every for item in (value if isinstance(value, list) else [value])]
    yield _say(_fenced(json.dumps(flat)))
    yield _say(_fenced(json.dumps(flat * 40)))
    yield _say(_fenced(json.dumps(every)))
    yield _say(_fenced(json.dumps(" or ".join(flat))))


def the_right_answer_as_a_draft(t: TableTarget) -> Iterator[str]:
    """Right in the thinking, wrong or nothing where the answer is due."""
    for draft in (_object(t.right), _fenced(t.right), f"<answer>{_fenced(t.right)}</answer>"):
        yield _say(_fenced(t.wrong), thinking=draft)
        yield _say("no idea", thinking=draft)
        yield f"<think>{draft}</think>"
    # An answer block in thinking that never ends is read: that is what an answer-only model writes.
    yield from (f"<think>{draft}" for draft in (_object(t.right), _fenced(t.right)))


def the_right_answer_taken_back(t: TableTarget) -> Iterator[str]:
    """Right first, then something else."""
    yield f"<think>so</think>{_object(t.right)}<answer>{_fenced(t.wrong)}</answer>"
    yield f"<think>so</think>{_fenced(t.right)}<answer>{t.wrong}</answer>"
    yield _say(_fenced(t.right)) + f"\nNo: <answer>{_fenced(t.wrong)}</answer>"


TRICKS: tuple[TableTrick, ...] = (
    wrong_but_honest, nothing_in_good_form, both_answers, every_answer_in_one_list, the_right_answer_as_a_draft,
    the_right_answer_taken_back,
)  # fmt: skip


def played(trick: TableTrick, judge: TextReward) -> Outcome:
    """One trick on one reward: a wrong answer in good form is what it deserves."""
    targets = [(target.gold.to_json(), target) for target in TARGETS]

    def plays() -> Iterator[Play]:
        for gold, target in targets:
            honest = judge.verdict(_say(_fenced(target.wrong)), gold).value
            for completion in trick(target):
                verdict = judge.verdict(completion, gold)
                yield Play(completion, verdict.value, honest, verdict.correct)

    return Outcome.of(judge.name, trick.__name__, plays())
