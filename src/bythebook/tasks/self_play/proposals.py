"""Completions of the proposer → problems, by running what they propose.

A proposal is valid if its program keeps to the sandbox's allow-list, ends within the limits, gives the same literal in
every process and at every call, and that is not None. For induction the program is one of the buffers', and the
proposal gives `INDUCTION_PAIRS` inputs that differ and a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bythebook.parsing.fenced import FencedAnswer, read_fenced
from bythebook.sandbox import Job, Outcome, Sandbox
from bythebook.tasks.self_play.problems import INDUCTION_PAIRS, Induction, Kind, Problem, Triplet

__all__ = ["Proposal", "proposals_checked"]


class Proposal(NamedTuple):
    """A completion of the proposer, looked at."""

    kind: Kind
    well_formed: bool
    problem: Problem | None
    """None where it is not valid."""
    reason: str
    """Why it is not valid; empty where it is."""


class _Draft(NamedTuple):
    program: str
    inputs: tuple[str, ...]
    message: str


def proposals_checked(
    completions: Sequence[str],
    kind: Kind,
    sandbox: Sandbox,
    programs: Sequence[str] = (),
    *,
    prefilled: bool = True,
) -> list[Proposal]:
    """What each completion proposes. For induction `programs` has the program that each was shown; ValueError where
    their number differs. `prefilled`: see `read_fenced`."""
    if kind == "induction" and len(programs) != len(completions):
        raise ValueError(f"{len(programs)} programs for {len(completions)} completions")
    read = [read_fenced(text, prefilled=prefilled) for text in completions]
    shown = programs if kind == "induction" else [None] * len(completions)
    drafts = [_draft(answer, program) for answer, program in zip(read, shown, strict=True)]
    jobs = [_job(draft) for draft in drafts if draft is not None]
    outcomes = iter(sandbox.run(jobs))
    return [
        Proposal(kind, False, None, "bad tags, or not the blocks that are asked for")
        if draft is None
        else _proposal(kind, draft, next(outcomes))
        for draft in drafts
    ]


def _draft(answer: FencedAnswer, shown: str | None) -> _Draft | None:
    """What a completion has in the form that is asked for; None where the form is another."""
    if not answer.well_formed:
        return None
    if shown is not None:
        inputs, message = answer.all("input"), answer.one("message")
        return _Draft(shown, inputs, message) if message is not None and inputs else None
    program, given = answer.one("python"), answer.one("input")
    return _Draft(program, (given,), "") if program is not None and given is not None else None


def _job(draft: _Draft) -> Job:
    # In brackets the arguments of a call are a list, whose canonical form tells whether two inputs are the same.
    inputs = draft.inputs[:INDUCTION_PAIRS]
    return Job(source=draft.program, inputs=inputs, literals=tuple(f"[\n{text}\n]" for text in inputs))


def _proposal(kind: Kind, draft: _Draft, outcome: Outcome) -> Proposal:
    reason = _fault(kind, draft, outcome)
    if reason:
        return Proposal(kind, True, None, reason)
    outputs = [output.text or "" for output in outcome.outputs]
    if kind == "induction":
        pairs = tuple(zip(draft.inputs, outputs, strict=True))
        return Proposal(kind, True, Induction(program=draft.program, message=draft.message.strip(), pairs=pairs), "")
    return Proposal(kind, True, Triplet(program=draft.program, input=draft.inputs[0], output=outputs[0]), "")


def _fault(kind: Kind, draft: _Draft, outcome: Outcome) -> str:
    """Why a proposal is not valid; empty where it is."""
    if kind == "induction":
        if len(draft.inputs) != INDUCTION_PAIRS:
            return f"{len(draft.inputs)} inputs, not {INDUCTION_PAIRS}"
        if not draft.message.strip():
            return "an empty message"
    if outcome.status != "ok":
        return f"{outcome.status}: {outcome.detail}" if outcome.detail else outcome.status
    errors = [output.error for output in outcome.outputs if output.error is not None]
    if errors:
        return errors[0]
    if any(output.text == "None" for output in outcome.outputs):
        return "no output"
    if kind == "induction" and len(set(outcome.literals)) < len(outcome.literals):
        return "two inputs are the same"
    return ""
