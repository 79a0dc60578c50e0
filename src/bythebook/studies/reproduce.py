"""A paper's claim in miniature, with its controls: what `bythebook reproduce` runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bythebook.errors import InputError
from bythebook.studies.miniature.systems import MINIATURES

__all__ = ["SYSTEMS", "reproduce"]

Say = Callable[[str], None]
_Size = TypeVar("_Size")


@dataclass(frozen=True)
class _Asked:
    """What a study is told; see `reproduce`."""

    system: str
    output: Path
    seeds: int
    model: str | None
    data: Path | None
    workers: int | None
    quick: bool
    say: Say

    @property
    def kept(self) -> Path:
        return self.output / "kept"


def reproduce(
    system: str,
    output: Path,
    *,
    seeds: int = 3,
    model: str | None = None,
    data: Path | None = None,
    workers: int | None = None,
    quick: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Run a system's miniature into `output`, or what is left of it, and read its tables from the kept records.

    `data` is a folder of real data, for the arms that are tried on them: of `r2grpo`, SciER's folder LLM. Returns
    `{"system", "run", "kept", "tables", "claims"}`: `tables` as Markdown, `claims` as far as the study judges any.
    InputError for an unknown system, for data that it doesn't read, or a folder that holds runs of another size.
    """
    if system not in SYSTEMS:
        raise InputError(f"no system {system!r}", remedy=f"there are: {', '.join(SYSTEMS)}")
    asked = _Asked(system, output, seeds, model, data, workers, quick, say)
    tables, claims = SYSTEMS[system](asked)
    return {"system": system, "run": str(output), "kept": str(asked.kept), "tables": tables, "claims": claims}


Outcome = tuple[str, list[dict[str, Any]]]


def _r1_re(asked: _Asked) -> Outcome:
    from bythebook.studies.r1_re.arms import StudySize
    from bythebook.studies.r1_re.experiments import QUICK, run_experiments
    from bythebook.studies.r1_re.results import keep_experiments, results

    _refuse_data(asked)
    _run(asked, run_experiments, _sized(asked, QUICK, StudySize()), keep_experiments)
    return results(asked.kept), []


def _r2grpo(asked: _Asked) -> Outcome:
    from bythebook.studies.r2grpo.experiments import run_experiments
    from bythebook.studies.r2grpo.results import keep_experiments, results, verdicts
    from bythebook.studies.r2grpo.size import QUICK, StudySize
    from bythebook.tasks import task_named

    size = _sized(asked, QUICK, StudySize())
    # The layers that must stay as they are belong to the embedded model.
    size = replace(size, freeze=0) if asked.model else size
    if asked.data:
        task_named("scier").read(asked.data)  # a fault is told now, not after the first arms
        size = replace(size, scier=str(asked.data))
    _run(asked, run_experiments, size, keep_experiments)
    return results(asked.kept), verdicts(asked.kept)


def _reward_bridge(asked: _Asked) -> Outcome:
    from bythebook.studies.reward_bridge.arms import QUICK, BridgeSize
    from bythebook.studies.reward_bridge.experiments import run_experiments
    from bythebook.studies.reward_bridge.results import keep_experiments, results, verdicts

    if asked.data or asked.model:
        raise InputError(
            "reward_bridge makes its own models in the procedural world", remedy="leave out --data, --model"
        )
    _run(asked, run_experiments, QUICK if asked.quick else BridgeSize(), keep_experiments)
    return results(asked.kept), verdicts(asked.kept)


def _miniature(asked: _Asked) -> Outcome:
    from bythebook.studies.miniature.arms import QUICK, Size
    from bythebook.studies.miniature.experiments import run_experiments
    from bythebook.studies.miniature.results import keep_experiments, results, verdicts
    from bythebook.studies.miniature.work import makes_its_own

    _refuse_data(asked)
    miniature = MINIATURES[asked.system]
    if asked.model and all(arm.begins_with for arm in miniature.arms[1:]) and makes_its_own(miniature.arms[0]):
        raise InputError(f"{asked.system} makes its own model", remedy="leave out --model")
    run = partial(run_experiments, miniature)
    _run(asked, run, _sized(asked, QUICK, Size()), keep_experiments)
    return results(asked.kept), verdicts(asked.kept)


def _codev_r1(asked: _Asked) -> Outcome:
    from bythebook.hardware import need_simulator
    from bythebook.studies.codev_r1.results import results, verdicts

    if asked.model:
        raise InputError("codev_r1 makes its own models in the procedural world", remedy="leave out --model")
    need_simulator()
    _miniature(asked)
    return results(asked.kept), verdicts(asked.kept)


def _invisible_leash(asked: _Asked) -> Outcome:
    from bythebook.studies.leash.arms import QUICK, LeashSize
    from bythebook.studies.leash.experiments import run_experiments
    from bythebook.studies.leash.results import keep_experiments, results, verdicts

    _refuse_data(asked)
    _run(asked, run_experiments, _sized(asked, QUICK, LeashSize()), keep_experiments)
    return results(asked.kept), verdicts(asked.kept)


def _modomodo(asked: _Asked) -> Outcome:
    from bythebook.studies.mixture.arms import QUICK, Size
    from bythebook.studies.mixture.experiments import run_experiments
    from bythebook.studies.mixture.results import keep_experiments, results, verdicts

    _refuse_data(asked)
    _run(asked, run_experiments, _sized(asked, QUICK, Size()), keep_experiments)
    return results(asked.kept), verdicts(asked.kept)


def _absolute_zero(asked: _Asked) -> Outcome:
    from bythebook.studies.absolute_zero.arms import QUICK, PlaySize
    from bythebook.studies.absolute_zero.experiments import run_experiments
    from bythebook.studies.absolute_zero.results import keep_experiments, results, verdicts

    if asked.data or asked.model:
        raise InputError("absolute_zero makes its own models and data", remedy="leave out --data, --model")
    _run(asked, run_experiments, QUICK if asked.quick else PlaySize(), keep_experiments)
    return results(asked.kept), verdicts(asked.kept)


def _refuse_data(asked: _Asked) -> None:
    if asked.data:
        raise InputError(f"{asked.system} is reproduced in the procedural world alone", remedy="leave out --data")


def _sized(asked: _Asked, quick: _Size, whole: _Size) -> _Size:
    """The size that was asked for, with the start model that was."""
    size = quick if asked.quick else whole
    changed: _Size = replace(size, model=asked.model) if asked.model else size  # type: ignore[type-var]
    return changed


def _run(asked: _Asked, run: Callable[..., None], size: object, keep: Callable[[Path, Path], None]) -> None:
    run(asked.output, seeds=asked.seeds, size=size, workers=asked.workers, say=asked.say)
    keep(asked.output, asked.kept)


SYSTEMS: dict[str, Callable[[_Asked], Outcome]] = {
    "r1_re": _r1_re,
    "r2grpo": _r2grpo,
    "reward_bridge": _reward_bridge,
    **dict.fromkeys(MINIATURES, _miniature),
    "codev_r1": _codev_r1,
    "invisible_leash": _invisible_leash,
    "modomodo": _modomodo,
    "absolute_zero": _absolute_zero,
}
