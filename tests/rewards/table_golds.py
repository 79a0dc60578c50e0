"""Golds and completions of questions about tables."""

from __future__ import annotations

from bythebook.schema.table_answers import TableGold
from bythebook.schema.tables import TableKind

SENTENCE = "The Herons won twice, in 1998 and in 2000."


def gold(*answers: str, kind: TableKind = "items") -> str:
    """A gold as JSON."""
    return TableGold(question="q", reference=answers[0], table_task=kind, table_answers=answers).to_json()


def say(value: str, thinking: str = "so") -> str:
    """A value in the form that is asked for."""
    return f'<think>{thinking}</think>\n<answer>\n```json\n{{"answer": {value}}}\n```\n</answer>'


ENTAILED = gold("entailed", kind="verdict")
FREE = gold(SENTENCE, kind="text")
BARE = '<think>so</think><answer>{"answer": ["3"]}</answer>'
TWO = '<think>so</think><answer>```json\n{"answer": ["3"]}\n```\n```json\n{"answer": ["4"]}\n```</answer>'
