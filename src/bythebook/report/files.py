"""What each file of records is about: which model, which set; and the names under which the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from bythebook.report.rows import EDITS
from bythebook.report.run import Run

__all__ = ["RecordFile", "record_files"]

_SETS = {"id": "in-domain", "ood": "out-of-domain", "dev": "development", "rollouts": "training rollouts"}
_EDITED = "edited guideline"
_ROLLOUTS = "rollouts"
_CONSTRAINED = ".constrained"


@dataclass(frozen=True)
class RecordFile:
    """One file of records: `<model>.<set>.jsonl` of a demo or a training run, `<task>.<split>.jsonl` of an evaluation,
    `<task>.<split>.constrained.jsonl` where decoding was.

    `set` is its name, the name shown and the group under which it is listed (empty for ordinary sets).
    """

    name: str
    model: str
    model_label: str
    set: tuple[str, str, str]

    @property
    def rollouts(self) -> bool:
        """Whether these are completions of RL training, where one item comes back at many steps."""
        return self.set[0] == _ROLLOUTS


def record_files(run: Run) -> list[RecordFile]:
    """Every file of records of the run: models in their order, their ordinary sets first."""
    arms = {arm.name: arm.label for arm in run.arms}
    order = list(arms)
    found = [_file(name, run, arms) for name in run.record_files]
    known = {"start": -2, "trained": -1}

    def rank(file: RecordFile) -> tuple[int, int, bool, str]:
        place = order.index(file.model) if file.model in order else len(order)
        return place, known.get(file.model, 0), bool(file.set[2]), file.name

    return sorted(found, key=rank)


def _file(name: str, run: Run, arms: dict[str, str]) -> RecordFile:
    if run.evaluated is not None:
        task, _, split = name.partition(".")
        free = split.removesuffix(_CONSTRAINED)
        label = _SETS.get(free, free) + (", constrained" if free != split else "")
        return RecordFile(name, run.evaluated, run.evaluated, (f"{task}/{split}", f"{task}, {label}", ""))
    model, dot, where = name.partition(".")
    if not dot:
        model, where = "", name
    shown = arms.get(model) or model.replace("_", " ") or run.path.resolve().name
    group = _EDITED if where in EDITS else ""
    return RecordFile(name, model, shown, (where, EDITS.get(where) or _SETS.get(where, where), group))
