"""Self-play: which proposals are valid, and which answers are right, by running them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from self_play_completions import fenced, induction, proposal, said

from bythebook.sandbox import Limits, Sandbox
from bythebook.tasks.self_play import IDENTITY, Induction, Kind, Triplet, proposals_checked, solutions_checked
from bythebook.tasks.self_play.problems import INDUCTION_PAIRS


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=30.0, cpu_s=1), lanes=1) as found:
        yield found


TEN = [str(i) for i in range(INDUCTION_PAIRS)]
SQUARE = "def f(a):\n    return a * a"


@pytest.mark.parametrize("kind", ["deduction", "abduction"])
def test_a_valid_proposal_becomes_a_triplet_with_the_output_of_its_program(sandbox: Sandbox, kind: Kind) -> None:
    found = proposals_checked([proposal("def f(a, b):\n    return {a: b}", "'x', 2.50")], kind, sandbox)[0]
    assert (found.well_formed, found.reason) == (True, "")
    assert found.problem == Triplet(program="def f(a, b):\n    return {a: b}", input="'x', 2.50", output="{'x': 2.5}")


INVALID = {
    "banned import": ("import os\ndef f(a):\n    return a", "1", "refused: line 1: the module os is not allowed"),
    "banned import by name": ("def f(a):\n    return __import__('random').random()", "1", "refused: "),
    "other banned imports": ("import sys, shutil, socket\ndef f(a):\n    return a", "1", "refused: "),
    "open": ("def f(a):\n    return open(a)", "'x'", "refused: the name open is not available"),
    "no function": ("x = 1", "1", "refused: no function f"),
    "no program": ("def f(a) return a", "1", "refused: not a program"),
    "timeout": ("def f(a):\n    while True: pass", "1", "timeout: processor time"),
    "exception": ("def f(a):\n    return a[0]", "[]", "IndexError"),
    "wrong number of arguments": ("def f(a):\n    return a", "1, 2", "TypeError"),
    "no output": ("def f(a):\n    a", "1", "no output"),
    "order of a set": ("def f(a):\n    return list({'b', 'c', 'd', 'e', 'f', a})", "'a'", "nondeterministic"),
    "counter": ("n = []\ndef f(a):\n    n.append(a)\n    return len(n)", "1", "impure"),
    "global counter": ("n = 0\ndef f(a):\n    global n\n    n += 1\n    return n", "1", "refused: "),
    "chance": ("import random\ndef f(a):\n    return random.random()", "1", "refused: "),
    "no literal": ("def f(a):\n    return map(str, a)", "[1]", "not_literal"),
    "too large": ("def f(a):\n    return [0] * 10 ** 6", "1", "too_large"),
    "input that is a call": ("def f(a):\n    return a", "len('x')", "input_not_literals"),
    "input that leaves the call": ("def f(a):\n    return a", "1) + f(2", "input_not_literals"),
}


@pytest.mark.parametrize("name", list(INVALID))
def test_what_is_not_valid_is_named(sandbox: Sandbox, name: str) -> None:
    program, given, reason = INVALID[name]
    found = proposals_checked([proposal(program, given)], "deduction", sandbox)[0]
    assert found.problem is None
    assert found.well_formed
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def f(a): return a",
        proposal(SQUARE, "1").removeprefix("so</think>"),
        proposal(SQUARE, "1") + "more",
        said(fenced("python", SQUARE)),
        said(fenced("input", "1")),
        said(fenced("python", SQUARE), fenced("input", "1"), fenced("input", "2")),
        induction(TEN),
    ],
)
def test_another_form_is_no_proposal(sandbox: Sandbox, text: str) -> None:
    found = proposals_checked([text], "abduction", sandbox)[0]
    assert (found.well_formed, found.problem) == (False, None)


def test_induction_asks_about_a_program_that_is_known(sandbox: Sandbox) -> None:
    found = proposals_checked([induction(TEN, " squares ")], "induction", sandbox, [SQUARE])[0]
    assert isinstance(found.problem, Induction)
    assert found.problem.message == "squares"
    assert found.problem.pairs == tuple((str(i), str(i * i)) for i in range(10))
    assert len(found.problem.shown) == len(found.problem.hidden) == 5
    assert found.problem.shown + found.problem.hidden == found.problem.pairs
    with pytest.raises(ValueError, match="0 programs for 1 completions"):
        proposals_checked([induction(TEN)], "induction", sandbox)


@pytest.mark.parametrize(
    ("inputs", "message", "reason"),
    [
        (TEN[:9], "m", "9 inputs, not 10"),
        ([*TEN, "10"], "m", "11 inputs, not 10"),
        ([*TEN[:9], " 8 # the same"], "m", "two inputs are the same"),
        ([*TEN[:9], "x"], "m", "input_not_literals"),
        ([*TEN[:9], "'x'"], "m", "TypeError"),
        (TEN, " ", "an empty message"),
    ],
)
def test_induction_needs_ten_inputs_that_differ(sandbox: Sandbox, inputs: list[str], message: str, reason: str) -> None:
    found = proposals_checked([induction(inputs, message)], "induction", sandbox, [SQUARE])[0]
    assert (found.problem, found.reason) == (None, reason)
    assert not proposals_checked([proposal(SQUARE, "1")], "induction", sandbox, [SQUARE])[0].well_formed


def test_many_proposals_keep_their_order(sandbox: Sandbox) -> None:
    texts = [proposal(f"def f(a):\n    return a + {i}", "1") if i % 2 else "no form" for i in range(8)]
    found = proposals_checked(texts, "deduction", sandbox)
    outputs = [p.problem.output if isinstance(p.problem, Triplet) else None for p in found]
    assert outputs == [None, "2", None, "4", None, "6", None, "8"]


# ------------------------------------------------------------------------------------------------------- solutions

PARITY = Triplet(program="def f(a):\n    return a % 2 == 0", input="4", output="True")
SQUARES = Induction(program=SQUARE, message="m", pairs=tuple((str(i), str(i * i)) for i in range(10)))
ORDERED = Triplet(
    program="def f(a):\n    return {k: {1, 2} for k in a}", input="'ab'", output="{'a': {1, 2}, 'b': {1, 2}}"
)


def verdict(sandbox: Sandbox, problem: Triplet | Induction, kind: Kind, text: str) -> tuple[bool, bool]:
    found = solutions_checked([problem], [text], kind, sandbox)[0]
    assert bool(found.reason) != found.right
    return found.well_formed, found.right


@pytest.mark.parametrize(
    ("problem", "answer", "right"),
    [
        (PARITY, "True", True),
        (PARITY, " True ", True),
        (PARITY, "1", False),
        (PARITY, "False", False),
        (PARITY, "4 % 2 == 0", False),
        (PARITY, "", False),
        (ORDERED, "{'b': {2, 1}, 'a': {1, 2}}", True),
        (ORDERED, "{'b': [2, 1], 'a': {1, 2}}", False),
        (IDENTITY, '"Hello world"', True),
    ],
)
def test_deduction_wants_an_equal_value(sandbox: Sandbox, problem: Triplet, answer: str, right: bool) -> None:
    assert verdict(sandbox, problem, "deduction", said(fenced("output", answer))) == (True, right)


@pytest.mark.parametrize(
    ("answer", "right"),
    [("4", True), ("10", True), ("0", True), ("3", False), ("'x'", False), ("4, 4", False), ("f(4)", False)],
)
def test_abduction_accepts_any_input_that_gives_the_output(sandbox: Sandbox, answer: str, right: bool) -> None:
    assert verdict(sandbox, PARITY, "abduction", said(fenced("input", answer))) == (True, right)


@pytest.mark.parametrize(
    ("program", "right"),
    [
        (SQUARE, True),
        ("def f(x):\n    return sum(x for _ in range(x))", True),
        ("def f(a):\n    return a ** 2 if a < 9 else 0", False),  # one of the hidden five
        ("def f(a):\n    return {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}[a]", False),  # the shown ones by heart
        ("def f(a):\n    return float(a * a)", False),
        ("import os\ndef f(a):\n    return a * a", False),
        ("def g(a):\n    return a * a", False),
        ("def f(a):\n    return 1 / 0", False),
        ("def f(a):\n    while True: pass", False),
    ],
)
def test_induction_wants_all_hidden_pairs(sandbox: Sandbox, program: str, right: bool) -> None:
    assert verdict(sandbox, SQUARES, "induction", said(fenced("python", program))) == (True, right)


@pytest.mark.parametrize("kind", ["deduction", "abduction", "induction"])
def test_another_form_is_no_solution(sandbox: Sandbox, kind: Kind) -> None:
    problem = SQUARES if kind == "induction" else PARITY
    wrong = {"deduction": "input", "abduction": "output", "induction": "output"}[kind]
    right = {"deduction": "output", "abduction": "input", "induction": "python"}[kind]
    for text in (
        "",
        "True",
        said(fenced(wrong, "True")),
        said(fenced(right, "True")) + "!",
        said(fenced(right, "1") * 2),
    ):
        assert verdict(sandbox, problem, kind, text) == (False, False)


def test_a_problem_of_another_kind_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="none of induction"):
        solutions_checked([PARITY], [""], "induction", sandbox)
    with pytest.raises(ValueError, match="none of deduction"):
        solutions_checked([SQUARES], [""], "deduction", sandbox)
