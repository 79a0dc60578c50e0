"""MBPP's reference programs as jobs of the sandbox, each with the arguments of its first test, and what becomes of
them."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bythebook.records import read_jsonl
from bythebook.sandbox import Job, Outcome, Sandbox

__all__ = ["became", "jobs_of", "reason_of"]


def jobs_of(file: Path) -> list[Job]:
    """One job a row. ValueError for a row whose test calls none of its functions."""
    return [_job(row["code"].replace("\r\n", "\n"), row["test_list"][0]) for _, row in read_jsonl(file)]


def _job(code: str, test: str) -> Job:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes that Python will refuse one day
        tree = ast.parse(code)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    called = [n for n in ast.walk(ast.parse(test)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    call = next((n for n in called if isinstance(n.func, ast.Name) and n.func.id in defined), None)
    if call is None or not isinstance(call.func, ast.Name):
        raise ValueError(f"a test of none of the functions: {test}")
    name = call.func.id
    if not name[0].isalpha() or len(name) > 40:
        code, name = re.sub(rf"\b{name}\b", "renamed", code), "renamed"  # a name that no job may have
    return Job(source=code, entry=name, inputs=(", ".join(map(ast.unparse, call.args)),), every_seed=False)


def became(jobs: Sequence[Job], sandbox: Sandbox) -> Counter[str]:
    """How many jobs ended in which way."""
    return Counter(reason_of(outcome) for outcome in sandbox.run(jobs))


def reason_of(outcome: Outcome) -> str:
    """`ran`, or why not: what the allow-list refused by its kind, or what went wrong in the run."""
    if outcome.status == "ok":
        error = outcome.outputs[0].error
        return "ran" if error is None else f"ran, {error}"
    if outcome.status != "refused":
        return outcome.status
    said = outcome.detail.partition(": ")[2] or outcome.detail
    for kind in ("attribute", "module", "ClassDef", "not available", "no function", "name"):
        if kind in said:
            return f"refused: {kind}"
    return f"refused: {said}"
