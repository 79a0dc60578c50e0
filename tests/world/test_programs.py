"""The world of tiny programs: what is known of them is what the sandbox finds, and nothing held out is trained on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.sandbox import Job, Sandbox
from bythebook.tasks import task_named
from bythebook.tasks.self_play import KINDS, Induction, Kind
from bythebook.tasks.self_play.proposals import proposals_checked
from bythebook.tasks.self_play.solutions import solutions_checked
from bythebook.tasks.world.program_family import DIGITS, OPERATIONS, Step, TinyProgram, draw_program, induction_of
from bythebook.tasks.world.programs import load, problem_of, write_as, written_programs
from bythebook.types import Example


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(lanes=1, seeds=(1,)) as found:
        yield found


@pytest.fixture(scope="module")
def exercises() -> dict[str, list[Example]]:
    return load(train=180, id=30, ood=30)


def solver(examples: list[Example], kind: Kind) -> list[Example]:
    return [e for e in examples if e.meta["role"] == "solver" and e.domain == kind]


def test_values_are_those_of_the_sandbox(sandbox: Sandbox) -> None:
    programs = [TinyProgram(steps=(Step(name=n, constant=c),)) for n in OPERATIONS for c in (1, 4, 9)]
    programs += [draw_program(random.Random(i), 3, False) for i in range(10)]
    jobs = [Job(source=p.source, inputs=tuple(map(str, DIGITS))) for p in programs]
    for program, outcome in zip(programs, sandbox.run(jobs), strict=True):
        assert [o.text for o in outcome.outputs] == [str(program(x)) for x in DIGITS]


def test_a_program_is_held_out_or_trained_on_and_gives_more_than_one_digit() -> None:
    rng = random.Random(0)
    drawn = [draw_program(rng, 2, held_out) for held_out in (True, False) for _ in range(200)]
    assert not {p.source for p in drawn[:200]} & {p.source for p in drawn[200:]}
    assert all(len({p(x) for x in DIGITS}) > 1 for p in drawn)
    every = [
        TinyProgram(steps=(Step(name=a, constant=c), Step(name=b, constant=d)))
        for a in OPERATIONS
        for b in OPERATIONS
        for c in range(1, 10)
        for d in range(1, 10)
    ]
    assert 0.22 < sum(p.held_out for p in every) / len(every) < 0.28


def test_tests_have_held_out_programs_of_the_lengths_they_say(exercises: dict[str, list[Example]]) -> None:
    trained = {problem_of(e).program for e in exercises["train"] if e.meta["role"] == "solver"}
    for split, longest in (("id", 3), ("ood", 4)):
        rows = exercises[split]
        assert not {problem_of(e).program for e in rows} & trained
        assert Counter(e.domain for e in rows) == dict.fromkeys(KINDS, 10)
        for e in rows:
            lines = problem_of(e).program.count("    x = ")
            assert lines == int(e.meta["length"]) <= longest - (e.domain == "induction")
            assert split == "id" or lines == longest - (e.domain == "induction")


@pytest.mark.parametrize("kind", KINDS)
def test_careful_and_hasty_answers_are_right_and_guesses_have_the_form(
    kind: Kind, exercises: dict[str, list[Example]], sandbox: Sandbox
) -> None:
    rows, rng = solver(exercises["train"], kind)[:12], random.Random(0)
    problems = [problem_of(e) for e in rows]
    shares = {}
    for care in ("careful", "hasty", "guess"):
        found = solutions_checked(problems, [write_as(care, e, rng) for e in rows], kind, sandbox, prefilled=False)
        assert all(s.well_formed for s in found)
        shares[care] = sum(s.right for s in found) / len(found)
    assert shares["careful"] == shares["hasty"] == 1.0
    assert shares["guess"] < 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_proposals_to_imitate_are_valid(kind: Kind, exercises: dict[str, list[Example]], sandbox: Sandbox) -> None:
    rows = [e for e in exercises["train"] if e.meta["role"] == "proposer" and e.domain == kind][:10]
    texts = [write_as("careful", e, random.Random(i)) for i, e in enumerate(rows)]
    shown = [e.text.partition("```python\n")[2].partition("\n```")[0] for e in rows] if kind == "induction" else []
    found = proposals_checked(texts, kind, sandbox, shown, prefilled=False)
    assert [p.reason for p in found] == [""] * len(rows)
    if kind != "induction":
        assert len({p.problem for p in found}) > 5


def test_careful_solvers_write_the_digits_on_the_way(exercises: dict[str, list[Example]]) -> None:
    program = TinyProgram(steps=(Step(name="add", constant=3), Step(name="most", constant=6)))
    assert program.values(8) == [1, 1]
    assert program.values(4) == [7, 6]
    for e in solver(exercises["train"], "abduction")[:5]:
        text = write_as("careful", e, random.Random(0))
        trace = text.removeprefix("<think>").partition("</think>")[0]
        assert len(trace) == int(e.meta["length"])
        assert trace[-1] == e.reference


def test_solvers_are_of_the_care_that_is_asked_for() -> None:
    task = task_named("world_programs")
    careful = solver(task.read(None, train=60, care=1, guesses=0)["train"], "deduction")
    assert [task.targets["mixed"](e, random.Random(0)) for e in careful] == [
        write_as("careful", e, random.Random(0)) for e in careful
    ]
    hasty = solver(task.read(None, train=60, care=0, guesses=0)["train"], "deduction")
    assert all(task.targets["mixed"](e, random.Random(0)) == write_as("hasty", e, random.Random(0)) for e in hasty)
    usual = solver(task.read(None, train=900)["train"], "deduction")
    with_trace = sum(
        not task.targets["mixed"](e, random.Random(i)).startswith("<think></think>") for i, e in enumerate(usual)
    )
    assert 0.25 < with_trace / len(usual) < 0.45
    with pytest.raises(RecipeError, match=r"care 0\.9 and guesses 0\.2 are more than 1"):
        task.read(None, train=1, care=0.9)


def test_every_pair_of_an_induction_is_there_once() -> None:
    program = draw_program(random.Random(1), 2, False)
    problem = induction_of(program, "digits", random.Random(2))
    assert isinstance(problem, Induction)
    assert sorted(problem.pairs) == [(str(x), str(program(x))) for x in DIGITS]
    assert len(problem.shown) == len(problem.hidden) == 5


def test_everything_that_is_written_here_is_few_tokens(exercises: dict[str, list[Example]]) -> None:
    from bythebook.training.small_models import build_tokenizer

    tokenizer = build_tokenizer(*written_programs())
    for e in exercises["train"] + exercises["ood"]:
        ids = tokenizer(e.text)["input_ids"]
        assert len(ids) < 70
        assert tokenizer.decode(ids) == e.text
        answer = write_as("careful", e, random.Random(0))
        ids = tokenizer(answer)["input_ids"]
        assert len(ids) < 44
        assert tokenizer.decode(ids, skip_special_tokens=True) == answer


def test_what_is_no_exercise_or_no_option_is_told(exercises: dict[str, list[Example]]) -> None:
    proposer = next(e for e in exercises["train"] if e.meta["role"] == "proposer")
    with pytest.raises(DataError, match="no exercise for the solver"):
        problem_of(proposer)
    with pytest.raises(RecipeError, match="longest"):
        task_named("world_programs").read(None, longest=0)
