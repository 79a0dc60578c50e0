"""Which traces of a large model a small one is fine-tuned on: those that a program verifies.

Table-R1-SFT (arXiv 2505.23621) keeps the traces of DeepSeek-R1 whose answers are verified, 33,601 of them; how a free
answer is verified is not published: here its score must reach `least`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bythebook.metrics.table_answers import PROTOCOLS, Protocol
from bythebook.parsing.table_answer import read_table_answer
from bythebook.rewards.table_answers import answer_in, score, type_rule
from bythebook.schema.table_answers import TableGold
from bythebook.types import FinishReason

__all__ = ["Kept", "Trace", "verified_traces"]


class Trace(NamedTuple):
    """A completion of the large model to a question about a table."""

    id: str
    """Of the question."""
    completion: str
    gold: TableGold
    finish_reason: FinishReason = "stop"
    tokens: int | None = None


class Kept(NamedTuple):
    """The traces to train on, in their order, and what became of the others, by the first reason that applies."""

    traces: list[Trace]
    unfinished: int
    """Cut off, failed, or longer than `most_tokens`."""
    malformed: int
    """Not the form that the reward asks for, or an answer that is ambiguous."""
    wrong: int
    surplus: int
    """Verified, but their question has enough."""


def verified_traces(
    traces: Iterable[Trace],
    *,
    protocol: Protocol = "evaluation",
    least: float = 0.5,
    per_question: int | None = 1,
    most_tokens: int | None = 20_480,
) -> Kept:
    """Keep what is finished, well formed and right; a free answer where (BLEU / 100 + ROUGE-L) / 2 ≥ `least`.

    `per_question`: how many traces a question keeps, the first ones; None: all. `most_tokens` is the paper's length; a
    trace of unknown length is kept. ValueError unless 0 < least ≤ 1 and per_question ≥ 1.
    """
    if not 0 < least <= 1:
        raise ValueError(f"least lies above 0 and up to 1, got {least}")
    if per_question is not None and per_question < 1:
        raise ValueError(f"a question keeps one trace or more, got {per_question}")
    kept: list[Trace] = []
    lost = {"unfinished": 0, "malformed": 0, "wrong": 0, "surplus": 0}
    held: dict[str, int] = {}
    for trace in traces:
        reason = _fault(trace, protocol, least, most_tokens)
        if reason is None and per_question is not None and held.get(trace.id, 0) >= per_question:
            reason = "surplus"
        if reason is not None:
            lost[reason] += 1
            continue
        held[trace.id] = held.get(trace.id, 0) + 1
        kept.append(trace)
    return Kept(kept, **lost)


def _fault(trace: Trace, protocol: Protocol, least: float, most_tokens: int | None) -> str | None:
    """Why a trace is not kept; None where it is."""
    long = most_tokens is not None and trace.tokens is not None and trace.tokens > most_tokens
    if trace.finish_reason != "stop" or long:
        return "unfinished"
    read, kind, match = read_table_answer(trace.completion), trace.gold.table_task, PROTOCOLS[protocol]
    if not read.well_formed or not type_rule(read.found[0], kind, numbers=True):
        return "malformed"
    answer = answer_in(read.found[0], kind, ignore_case=match.ignore_case)
    if answer is None:
        return "malformed"
    found = score(answer, trace.gold, match)
    good = found.mean >= least if kind == "text" else found.right
    return None if good else "wrong"
