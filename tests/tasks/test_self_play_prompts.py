"""Prompts of proposer and solver, and the game around them: who is asked what, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from self_play_completions import ScriptedProposer, ScriptedSolver, fenced

from bythebook.errors import RecipeError
from bythebook.generation.sampling import Sampling
from bythebook.parsing.fenced import read_fenced
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import SelfPlaySection
from bythebook.sandbox import Sandbox
from bythebook.tasks.self_play import IDENTITY, KINDS, Induction, Kind, SelfPlay, Triplet
from bythebook.tasks.self_play.asking import Role, how_to, proposer_example, solver_example
from bythebook.tasks.self_play.game import ProgramGame
from bythebook.tasks.self_play.problems import Problem
from bythebook.tasks.self_play.proposals import proposals_checked
from bythebook.tasks.self_play.solutions import solutions_checked

SECTION = SelfPlaySection(
    rate_rollouts=8, same_step=False, references=2, capacity=100, seeds=3, seeding_rounds=5, wall_s=20, lanes=1
)
PAIRS = tuple((str(i), str(i + 1)) for i in range(10))
INDUCTION = Induction(program="def f(a):\n    return a + 1", message="one more", pairs=PAIRS)
PLUS = Triplet(program="def f(a):\n    return a + 1", input="1", output="2")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(lanes=1, seeds=(1,)) as found:
        yield found


def problem(kind: Kind) -> Problem:
    return INDUCTION if kind == "induction" else PLUS


def shown(role: Role, kind: Kind, style: PromptStyle | None = None) -> str:
    example = proposer_example(kind, [PLUS]) if role == "proposer" else solver_example(kind, problem(kind))
    return render(example, style)[0]["content"]


def test_each_role_and_kind_has_an_instruction_of_its_own_that_comes_first() -> None:
    instructions = {how_to(role, kind).preamble for role in ("proposer", "solver") for kind in KINDS}
    assert len(instructions) == 6
    for role in ("proposer", "solver"):
        for kind in KINDS:
            text = shown(role, kind)  # type: ignore[arg-type]
            assert text.startswith(how_to(role, kind).preamble)  # type: ignore[arg-type]
            assert "<think>" in text
            assert text.endswith("```")


def test_the_short_style_leaves_the_instruction_out_and_still_tells_the_kinds_apart() -> None:
    short = PromptStyle(template="short")
    lines = {shown(role, kind, short).splitlines()[0] for role in ("proposer", "solver") for kind in KINDS}  # type: ignore[arg-type]
    assert len(lines) == 6
    assert all("<think>" not in shown("solver", kind, short) for kind in KINDS)


def test_the_solver_never_sees_what_is_asked_of_it() -> None:
    apart = Triplet(program="def f(a):\n    return a * 2", input="4321", output="8642")
    assert "8642" not in render(solver_example("deduction", apart))[0]["content"]
    assert "4321" not in render(solver_example("abduction", apart))[0]["content"]
    text = render(solver_example("induction", INDUCTION))[0]["content"]
    assert INDUCTION.program not in text
    assert "one more" in text
    for given, output in INDUCTION.shown:
        assert fenced("input", given) in text + "\n"
        assert fenced("output", output) in text + "\n"
    assert all(fenced("input", given) not in text + "\n" for given, _ in INDUCTION.hidden)


def test_the_proposer_sees_its_references_and_of_induction_the_program_alone() -> None:
    two = render(proposer_example("abduction", [IDENTITY, PLUS]))[0]["content"]
    assert two.count("```python") == 2
    assert "```output\n2\n```" in two
    alone = render(proposer_example("induction", [PLUS]))[0]["content"]
    assert PLUS.program in alone
    assert "```output" not in alone
    with pytest.raises(ValueError, match="there is none"):
        proposer_example("induction", [])
    with pytest.raises(ValueError, match="is no problem of"):
        solver_example("induction", PLUS)


def test_the_reference_of_an_exercise_solves_it(sandbox: Sandbox) -> None:
    words: dict[Kind, str] = {"deduction": "output", "abduction": "input", "induction": "python"}
    for kind in KINDS:
        reference = solver_example(kind, problem(kind)).reference
        text = f"<think>so</think>\n<answer>\n{fenced(words[kind], str(reference))}</answer>"
        (found,) = solutions_checked([problem(kind)], [text], kind, sandbox, prefilled=False)
        assert found.right
        (unread,) = solutions_checked([problem(kind)], [text.removeprefix("<think>")], kind, sandbox, prefilled=False)
        assert not unread.well_formed


def test_a_proposal_is_read_with_its_own_first_tag_where_the_prompt_has_none(sandbox: Sandbox) -> None:
    text = f"<think>so</think>\n<answer>\n{fenced('python', PLUS.program)}{fenced('input', '1')}</answer>"
    assert read_fenced(text, prefilled=False).well_formed
    (found,) = proposals_checked([text], "deduction", sandbox, prefilled=False)
    assert found.problem == PLUS


# ------------------------------------------------------------------------------------------------------------ game


class Writer:
    """Completions by the scripts for proposer and solver, told apart by what stands in a prompt."""

    def __init__(self) -> None:
        self.proposer, self.solver = ScriptedProposer(), ScriptedSolver()
        self.asked: list[tuple[int, int]] = []

    def __call__(self, prompts: Sequence[list[dict[str, str]]], n: int) -> list[list[str]]:
        self.asked.append((len(prompts), n))
        return [[self._one(p[0]["content"])] * n for p in prompts]

    def _one(self, text: str) -> str:
        kind: Kind = next(
            k for k in KINDS if how_to("proposer", k).preamble in text or how_to("solver", k).preamble in text
        )
        if how_to("proposer", kind).preamble in text:
            return self.proposer.one(kind)
        return "I do not know"


def game(**options: object) -> ProgramGame:
    section = SECTION.model_copy(update=options)
    return ProgramGame.of(section, {}, PromptStyle(), prefilled=True)


def test_a_step_gives_as_many_of_each_cell_and_asks_for_eight_rollouts_of_an_exercise() -> None:
    one, writer = game(), Writer()
    turns = one.step(writer, 12, "a")
    assert [(t.role, t.kind) for t in turns] == [cell for cell in one.cells for _ in range(2)]
    assert {n for _, n in writer.asked} == {1, 8}
    assert [one.buffers.size(kind) >= 3 for kind in KINDS] == [True] * 3
    one.close()
    assert one.sandbox is None
    with pytest.raises(ValueError, match="13 completions for 6 cells"):
        one.step(writer, 13, "a")
    one.close()


def test_a_game_goes_on_from_its_state_as_if_it_had_never_stopped() -> None:
    first, writer = game(), Writer()
    first.step(writer, 6, "a")
    state, number = first.state(), writer.proposer.number
    goes_on = [(t.written, t.verdict) for t in first.step(writer, 6, "b")]
    first.close()
    assert first.state()["buffers"] != state["buffers"]
    second, again = game(), Writer()
    again.proposer.number = number
    second.restore(state)
    assert second.state() == state
    assert [(t.written, t.verdict) for t in second.step(again, 6, "b")] == goes_on
    assert second.state() == first.state()
    second.close()


def test_what_others_have_found_is_kept_as_well() -> None:
    one, writer = game(seeds=1), Writer()
    one.step(writer, 6, "a", lambda found: [*found, *found])
    alone, other = game(seeds=1), Writer()
    alone.step(other, 6, "a")
    assert [one.buffers.size(k) - 1 for k in ("deduction", "abduction")] == [
        2 * (alone.buffers.size(k) - 1) for k in ("deduction", "abduction")
    ]
    one.close()
    alone.close()


def test_two_processes_with_what_all_have_found_keep_the_same_buffers(sandbox: Sandbox) -> None:
    plays = [SelfPlay(sandbox, ScriptedProposer(), ScriptedSolver(), batch=2, prefilled=True) for _ in range(2)]
    found: list[Problem] = []
    plays[0].share = lambda mine: found.extend(mine) or list(mine)  # type: ignore[func-returns-value]
    plays[0].seed(3)
    plays[1].share = lambda mine: [found.pop(0) for _ in mine]
    plays[1].seed(3)
    assert plays[0].buffers.state() == plays[1].buffers.state()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"judge": {}}, "options are proposer and solver"), ({"solver": {"right": -1}}, "bad_format < wrong < right")],
)
def test_unknown_options_and_rewards_that_would_pay_the_worse_better_are_refused(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        ProgramGame.of(SECTION, options, PromptStyle(), prefilled=True)


def test_the_rollouts_that_rate_an_exercise_are_drawn_not_greedy() -> None:
    assert Sampling(n=SECTION.rate_rollouts).temperature == 1.0
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        SelfPlaySection(**{**SECTION.model_dump(), "rate_rollouts": 1})
