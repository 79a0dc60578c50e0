"""One job in the process that was made for it: check, run every input, write outcomes as plain data.

This is the only file of the package in which text is executed, and it is executed here only: in a child that has given
up files, network, processes, memory and time.
"""

from __future__ import annotations

import builtins
from typing import Any

from bythebook.sandbox.inside.allowed import BUILTINS
from bythebook.sandbox.inside.check import Refused, checked, parsed
from bythebook.sandbox.inside.values import NoText, arguments, canonical, literal

__all__ = ["answer"]

_LONGEST_NAME = 60


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Outcome of a job: `status` (`ok` or `refused`, with `detail`), `outputs` of the inputs in order, and the
    `literals` in canonical form, None for what is none. An output is `["ok", text]` or `["error", name]`."""
    limit = int(job["output_characters"])
    literals = [_canonical_literal(text, limit) for text in job["literals"]]
    outcome: dict[str, Any] = {"status": "ok", "detail": "", "outputs": [], "literals": literals}
    if job["source"] is None:
        return outcome
    try:
        tree = checked(job["source"], job["entry"]) if job["checked"] else parsed(job["source"])
        code = compile(tree, "<program>", "exec", dont_inherit=True)
    except Refused as error:
        return {**outcome, "status": "refused", "detail": str(error)}
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return {**outcome, "status": "refused", "detail": f"not a program: {type(error).__name__}"}
    for text in job["inputs"]:
        output = _run(code, job, text, limit)
        limit -= len(output[1])
        outcome["outputs"].append(output)
    return outcome


def _canonical_literal(text: str, limit: int) -> str | None:
    try:
        return canonical(literal(text), limit)
    except (Refused, NoText):
        return None


def _run(code: Any, job: dict[str, Any], text: str, limit: int) -> list[str]:
    """One input in a namespace of its own. The function is called twice, with equal arguments made anew: one that
    counts its calls, or keeps what it was given, gives itself away (`error`, `impure`)."""
    names = dict(BUILTINS if job["checked"] else vars(builtins))
    namespace: dict[str, Any] = {"__name__": "program", "__builtins__": names}
    try:
        first_arguments, second_arguments = arguments(text), arguments(text)
    except Refused:
        return ["error", "input_not_literals"]
    try:
        exec(code, namespace)  # noqa: S102 - the one allowed place
        function = namespace[job["entry"]]
        first = canonical(function(*first_arguments), limit)
        second = canonical(function(*second_arguments), limit)
    except NoText as error:
        return ["error", str(error)]
    except BaseException as error:  # whatever a program raises is its own outcome
        return ["error", type(error).__name__[:_LONGEST_NAME]]
    return ["ok", first] if first == second else ["error", "impure"]
