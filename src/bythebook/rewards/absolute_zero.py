"""The rewards of Absolute Zero (arXiv 2505.03335): one for proposing a task, one for solving it.

| case                                       | paper, equations 4 and 6 | published code (a82124e, branch `paper`) |
|--------------------------------------------|--------------------------|------------------------------------------|
| proposer, solved with a rate 0 < r < 1     | 1 − r                    | 1 − r                                    |
| proposer, r = 0 or r = 1                   | 0                        | −0.5                                     |
| proposer, no valid task or bad tags        | −1                       | −1                                       |
| solver, right / wrong / bad form           | 1 / −0.5 / −1            | 1 / −0.5 / −1                            |

r is the share of the solver's rollouts, eight a task, that are right. Whether a task is valid and an answer right is
decided in the sandbox, before these rewards are asked.
"""

from __future__ import annotations

from typing import Self

from pydantic import FiniteFloat, model_validator

from bythebook.types import Noun, Part, Verdict

__all__ = ["PAPER", "RELEASE", "ProposerReward", "SolverReward", "learnability"]


def learnability(rate: float, unlearnable: float = 0.0) -> float:
    """1 − r where 0 < r < 1, else `unlearnable`: equation 4. ValueError for a rate that is none."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate lies between 0 and 1, got {rate}")
    return 1.0 - rate if 0.0 < rate < 1.0 else unlearnable


class ProposerReward(Noun):
    """What a proposed task is worth. ValidationError unless `invalid` < `unlearnable` and `unlearnable` <= 0, so that a
    task from which something is learnt always pays more."""

    unlearnable: FiniteFloat = 0.0
    """For a task that is always or never solved."""
    invalid: FiniteFloat = -1.0
    """For what is no task: bad tags, or refused by the validator."""

    @model_validator(mode="after")
    def _a_task_pays_more(self) -> Self:
        if not self.invalid < self.unlearnable <= 0.0:
            raise ValueError("invalid < unlearnable <= 0 must hold")
        return self

    def judge(self, *, well_formed: bool, valid: bool, rate: float | None, reason: str = "") -> Verdict:
        """The verdict: `malformed` for bad tags, `wrong` for no valid task and for one that is always or never solved,
        else `ok`. `unscored`, with value None, where no rollout of the solver could be scored."""
        if not (well_formed and valid):
            gate = Part(value=self.invalid, gate=True, reason=reason)
            name = "task" if well_formed else "format"
            return Verdict(value=self.invalid, status="wrong" if well_formed else "malformed", parts={name: gate})
        if rate is None:
            return Verdict(value=None, status="unscored")
        value = learnability(rate, self.unlearnable)
        part = Part(value=value, reason=f"solved with a rate of {rate:.3f}")
        return Verdict(value=value, status="ok" if 0.0 < rate < 1.0 else "wrong", parts={"learnability": part})


PAPER = ProposerReward()
RELEASE = ProposerReward(unlearnable=-0.5)


class SolverReward(Noun):
    """What an answer is worth. ValidationError unless `bad_format` < `wrong` < `right`."""

    right: FiniteFloat = 1.0
    wrong: FiniteFloat = -0.5
    bad_format: FiniteFloat = -1.0

    @model_validator(mode="after")
    def _right_pays_best(self) -> Self:
        if not self.bad_format < self.wrong < self.right:
            raise ValueError("bad_format < wrong < right must hold")
        return self

    def judge(self, *, well_formed: bool, right: bool | None, reason: str = "") -> Verdict:
        """The verdict. `right` is None where nothing could decide: then a well-formed answer is `unscored`."""
        if not well_formed:
            gate = Part(value=self.bad_format, gate=True, reason=reason)
            return Verdict(value=self.bad_format, status="malformed", parts={"format": gate})
        if right is None:
            return Verdict(value=None, status="unscored")
        part = Part(value=self.right if right else self.wrong, reason=reason)
        return Verdict(value=part.value, status="ok" if right else "wrong", parts={"answer": part})
