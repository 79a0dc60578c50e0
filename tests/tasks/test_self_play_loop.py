"""Self-play: buffers, seeding from the identity, and a step with scripted players."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from pydantic import ValidationError
from self_play_completions import ScriptedProposer, ScriptedSolver

from bythebook.generation.sampling import Sampling
from bythebook.rewards.absolute_zero import PAPER, RELEASE
from bythebook.sandbox import Limits, Sandbox
from bythebook.tasks.self_play import IDENTITY, KINDS, Buffers, Induction, Kind, SelfPlay, Triplet
from bythebook.tasks.self_play.loop import SeedingError


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=30.0, cpu_s=1), seeds=(1, 2)) as found:
        yield found


def triplet(number: int) -> Triplet:
    return Triplet(program=f"def f(a):\n    return {number}", input="0", output=str(number))


INDUCTION = Induction(program="def f(a):\n    return a", message="m", pairs=(("1", "1"), ("2", "2")))


def test_buffers_begin_with_the_identity_alone() -> None:
    buffers = Buffers()
    assert [buffers[kind] for kind in KINDS] == [(IDENTITY,), (IDENTITY,), ()]
    assert buffers.references("induction", random.Random(0)) == [IDENTITY]
    assert buffers.to_solve("induction", 4, 0, random.Random(0)) == []


def test_the_oldest_go_where_there_are_too_many() -> None:
    buffers = Buffers(capacity=3)
    for number in range(5):
        buffers.add("deduction", triplet(number))
    assert buffers["deduction"] == (triplet(2), triplet(3), triplet(4))
    assert buffers.size("abduction") == 1
    with pytest.raises(ValueError, match="at least one"):
        Buffers(capacity=0)


def test_each_kind_keeps_its_own_problems() -> None:
    buffers = Buffers()
    for kind, problem in (("induction", triplet(1)), ("deduction", INDUCTION)):
        with pytest.raises(ValueError, match="is no problem of"):
            buffers.add(kind, problem)  # type: ignore[arg-type]


def test_references_are_drawn_without_repetition() -> None:
    buffers = Buffers()
    for number in range(20):
        buffers.add("abduction", triplet(number))
    rng = random.Random(0)
    drawn = [buffers.references("abduction", rng) for _ in range(50)]
    assert all(len(set(shown)) == 6 for shown in drawn)
    assert len({shown[0] for shown in drawn}) > 10
    assert all(len(buffers.references("induction", rng)) == 1 for _ in range(5))
    assert len(buffers.references("deduction", rng)) == 1


def test_a_batch_has_the_newest_first_and_then_any() -> None:
    buffers = Buffers()
    for number in range(10):
        buffers.add("deduction", triplet(number))
    batch = buffers.to_solve("deduction", 64, 3, random.Random(0))
    assert batch[:3] == [triplet(9), triplet(8), triplet(7)]
    assert len(batch) == 64
    assert set(batch[3:]) == {IDENTITY, *map(triplet, range(10))}  # the newest may come twice
    assert buffers.to_solve("deduction", 2, 3, random.Random(0)) == [triplet(9), triplet(8)]
    assert batch == buffers.to_solve("deduction", 64, 3, random.Random(0))


def test_seeding_from_the_identity_reaches_its_target_without_the_solver(sandbox: Sandbox) -> None:
    proposer, solver = ScriptedProposer(), ScriptedSolver()
    play = SelfPlay(sandbox, proposer, solver, batch=4)
    play.seed()
    assert [play.buffers.size(kind) for kind in KINDS] == [16, 16, 16]
    assert play.buffers["deduction"][0] == IDENTITY
    assert all(isinstance(problem, Induction) for problem in play.buffers["induction"])
    assert solver.calls == []


def test_a_proposer_who_proposes_nothing_is_given_up(sandbox: Sandbox) -> None:
    def silent(kind: Kind, references: Sequence[Sequence[Triplet]], sampling: Sampling) -> list[str]:
        return [""] * len(references)

    with pytest.raises(SeedingError, match="1 of 8 problems of deduction after 3 rounds"):
        SelfPlay(sandbox, silent, ScriptedSolver(), batch=2).seed(rounds=3)


def test_rollouts_for_the_rate_are_drawn_at_temperature_one_at_every_call(sandbox: Sandbox) -> None:
    proposer, solver = ScriptedProposer(), ScriptedSolver(eighths=3)
    play = SelfPlay(sandbox, proposer, solver, batch=2)
    play.seed(4)
    play.step()
    assert {(c[2].n, c[2].temperature) for c in solver.calls} == {(8, 1.0), (1, 1.0)}
    assert {(c[2].n, c[2].temperature) for c in proposer.calls} == {(1, 1.0)}
    # Eight greedy rollouts, which the published head draws, can't even be asked for.
    with pytest.raises(ValidationError, match="greedy decoding gives one completion"):
        Sampling(n=8, temperature=0.0)


@pytest.mark.parametrize(("eighths", "paper", "release"), [(3, 0.625, 0.625), (0, 0.0, -0.5), (8, 0.0, -0.5)])
def test_proposals_are_paid_by_what_the_solver_can_do(
    sandbox: Sandbox, eighths: int, paper: float, release: float
) -> None:
    for reward, expected in ((PAPER, paper), (RELEASE, release)):
        play = SelfPlay(sandbox, ScriptedProposer(), ScriptedSolver(eighths), batch=3, proposer_reward=reward)
        for result in play.step():
            assert sorted({v.value for _, v in result.proposed if v.value is not None}) == [-1.0, expected]
            for text, v in result.proposed:
                no_form = text == "no tags" or (result.kind == "induction" and "```python" in text)
                assert (v.status == "malformed") == no_form


def test_every_valid_problem_is_kept_whatever_it_was_paid(sandbox: Sandbox) -> None:
    play = SelfPlay(sandbox, ScriptedProposer(), ScriptedSolver(eighths=8), batch=3)
    before = [play.buffers.size(kind) for kind in KINDS]
    results = play.step()
    kept = [play.buffers.size(kind) - n for kind, n in zip(KINDS, before, strict=True)]
    assert kept == [sum(v.value != -1.0 for _, v in result.proposed) for result in results] == [2, 2, 2]


@pytest.mark.parametrize("same_step", [False, True])
def test_problems_are_solved_one_step_later_or_in_the_same(sandbox: Sandbox, same_step: bool) -> None:
    solver = ScriptedSolver()
    play = SelfPlay(sandbox, ScriptedProposer(), solver, batch=2, same_step=same_step)
    play.seed(3)
    solved: list[list[tuple[Triplet | Induction, ...]]] = []
    newest: list[list[tuple[Triplet | Induction, ...]]] = []
    for _ in range(2):
        solver.calls.clear()
        before = {kind: play.buffers.size(kind) for kind in KINDS}
        play.step()
        solved.append([problems for _, problems, sampling in solver.calls if sampling.n == 1])
        newest.append([play.buffers[kind][before[kind] :] for kind in KINDS])
    now, later = newest[0], solved[1]
    if same_step:
        assert all(set(made) <= set(batch) for made, batch in zip(now, solved[0], strict=True))
    else:
        assert all(not set(made) & set(batch) for made, batch in zip(now, solved[0], strict=True))
        assert all(set(made) <= set(batch) for made, batch in zip(now, later, strict=True))


def test_answers_are_paid_and_two_runs_are_equal(sandbox: Sandbox) -> None:
    def run() -> list[object]:
        play = SelfPlay(sandbox, ScriptedProposer(), ScriptedSolver(eighths=1), batch=2, same_step=True)
        return [play.step() for _ in range(2)]

    first = run()
    assert first == run()
    results = first[0]
    assert isinstance(results, list)
    assert [[v.value for _, v in result.solved] for result in results] == [[1.0, 1.0]] * 3


def test_no_problem_has_no_rate(sandbox: Sandbox) -> None:
    solver = ScriptedSolver()
    play = SelfPlay(sandbox, ScriptedProposer(), solver)
    assert play.rates("deduction", []) == []
    assert solver.calls == []

    def mute(kind: Kind, problems: Sequence[object], sampling: Sampling) -> list[list[str]]:
        return [[] for _ in problems]

    play = SelfPlay(sandbox, ScriptedProposer(), mute)
    assert play.rates("deduction", [IDENTITY]) == [None]
