"""Dynamic sampling: groups without a signal are thrown away, and other prompts are drawn in their place (DAPO, arXiv
2503.14476, section 3.2; adaptively CodeV-R1, arXiv 2505.24183).

A group has a signal if its rewards differ: their standard deviation is what GRPO divides by. RLPR's filter asks for
more, a share of what it has been on average (`objectives.deviation_filter`). An update has as many groups as without
this, unless `max_prompts` is reached first; the rest then are groups without a signal, which move nothing, or with too
little of it, and are counted. Every rollout that was drawn is a record and counts in the metrics, thrown away or not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import Tensor

from bythebook.errors import RecipeError
from bythebook.objectives.deviation_filter import DeviationFilter, DeviationState, group_deviations
from bythebook.records import Record
from bythebook.rewards.overlong import Penalised
from bythebook.stats.draws import DrawRule
from bythebook.training.grpo import GuidelineGRPOTrainer
from bythebook.training.log_probs import learnt_tokens
from bythebook.training.shared_prefix import sharing_order

__all__ = ["RefillingTrainer", "joined"]

# Shapes: B rollouts of a generation, G of them in a group, P and T tokens of the longest prompt and completion.

_EQUAL = 1e-6
"""Standard deviation of rewards below which they are equal but for rounding."""
_LEFT = ("prompt_ids", "prompt_mask")
_RIGHT = (
    "completion_ids",
    "completion_mask",
    "old_per_token_logps",
    "ref_per_token_logps",
    "sampling_per_token_logps",
    "importance_sampling_ratio",
    "tool_mask",
    "reasoning",
)
_ROWS = ("advantages",)
_MADE_ANEW = ("num_items_in_batch", "sharing_order")


class _Group(NamedTuple):
    """One group of a generation."""

    round: int
    first: int
    """Its first row in the round's output."""
    signal: bool


class RefillingTrainer(GuidelineGRPOTrainer):
    """GRPO whose updates have groups with a signal only, as far as `max_prompts` of an update reach. RecipeError where
    a group would be cut between processes."""

    def __init__(
        self, *, rule: DrawRule, max_prompts: int, deviation: DeviationFilter | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._filter, self._seen = deviation, DeviationState()
        self._penalised = next((f for f in self.reward_funcs if isinstance(f, Penalised)), None)
        self._rule, self._max_prompts, self._size = rule, max_prompts, int(self.num_generations or 1)
        mine = self.args.per_device_train_batch_size * self.args.steps_per_generation
        if mine % self._size:
            message = f"{mine} rollouts of a process are no whole groups of {self._size}"
            raise RecipeError(f"rollout.refill: {message}", remedy="use fewer processes, or more prompts a step")

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if not self.model.training:
            return super()._generate_and_score_completions(inputs)
        size, processes = self._size, self.accelerator.num_processes
        wanted = len(inputs) // size
        target, missing, drawn = wanted * processes, wanted * processes, 0
        outputs: list[dict[str, Any]] = []
        groups: list[_Group] = []
        records: list[Record] = []
        while missing > 0 and (draws := self._draws(target, missing, drawn, first=not outputs)):
            rows = self._rows(inputs if not outputs else [], draws // processes, len(outputs))
            self._record_tags = {"round": str(len(outputs))}
            outputs.append(super()._generate_and_score_completions(rows))
            found = self._groups(len(outputs) - 1)
            with_signal, least = self._counted(found, [*groups, *found])
            self._rule.saw(target, missing, draws, with_signal)
            groups, drawn, missing = groups + found, drawn + draws, (wanted - least) * processes
            records += self._pending
        if self._filter is not None:
            everyone = self.accelerator.gather(self._deviations(records).to(self.accelerator.device))
            self._seen = self._filter.after(everyone.cpu(), self._seen)
        chosen = sorted(groups, key=lambda g: not g.signal)[:wanted]  # stable: the first ones with a signal
        self._tell(groups, records, chosen, drawn, len(outputs))
        return self._merged(outputs, [(g.round, g.first) for g in chosen])

    def _draws(self, target: int, missing: int, drawn: int, *, first: bool) -> int:
        """Prompts of the next round, of all processes together; 0 where the update may have no more."""
        processes = int(self.accelerator.num_processes)
        asked = max(self._rule.draws(target, missing), target if first else 1)
        asked = math.ceil(asked / processes) * processes
        left = max(self._max_prompts, target) - drawn
        return min(asked, left // processes * processes)

    def _rows(self, given: list[dict[str, Any]], number: int, round_: int) -> list[dict[str, Any]]:
        """The rows of `number` groups of this process: those given, and further ones, other in each process. What is
        drawn depends on seed, step and round alone, so that a resumed run draws it again."""
        size, dataset = self._size, cast(Dataset, self.train_dataset)
        more = number - len(given) // size
        rng = random.Random(f"bythebook refill/{self.args.seed}/{self.state.global_step}/{round_}")
        known = {row["example_id"] for row in given}
        order = [i for i in rng.sample(range(len(dataset)), len(dataset)) if dataset[i]["example_id"] not in known]
        order = order or list(range(len(dataset)))
        start = self.accelerator.process_index * more
        chosen = [order[i % len(order)] for i in range(start, start + more)]
        return [*given, *(dict(row) for i in chosen for row in [dataset[i]] * size)]

    def _groups(self, round_: int) -> list[_Group]:
        """The groups of the rollouts that were just scored."""
        size = self._size
        found = self._deviations(self._pending)
        signal = found > _EQUAL
        if self._filter is not None:
            signal &= self._filter.keeps(found, self._seen)
        return [_Group(round_, i * size, bool(has)) for i, has in enumerate(signal.tolist())]

    def _deviations(self, records: Sequence[Record]) -> Tensor:
        """Of each group, in order, before length is penalised (CodeV-R1's code filters by accuracy); 0 where fewer than
        two of its rollouts were scored."""
        values = [math.nan if record.value is None else self._earned(record.value, record) for record in records]
        return group_deviations(torch.tensor(values, dtype=torch.float64), self._size).nan_to_num(0.0)

    def _earned(self, value: float, record: Record) -> float:
        return value if self._penalised is None else self._penalised.earned(value, record.tokens or 0)

    def _counted(self, new: Sequence[_Group], whole: Sequence[_Group]) -> tuple[int, int]:
        """(new groups with a signal in all processes, groups with a signal so far in the process that has least)"""
        mine = torch.tensor(
            [[sum(g.signal for g in new), sum(g.signal for g in whole)]], device=self.accelerator.device
        )
        everyone = self.accelerator.gather(mine)  # (processes, 2)
        return int(everyone[:, 0].sum()), int(everyone[:, 1].min())

    def _tell(
        self, groups: Sequence[_Group], records: Sequence[Record], chosen: Sequence[_Group], drawn: int, rounds: int
    ) -> None:
        """Metrics of the update: what it cost, and why groups were thrown away."""
        size, without = self._size, 0
        right = wrong = 0
        for i, group in enumerate(groups):
            if not group.signal:
                without += 1
                verdicts = {bool(r.correct) for r in records[i * size : (i + 1) * size]}
                right, wrong = right + (verdicts == {True}), wrong + (verdicts == {False})
        found = {
            "prompts": float(drawn),
            "rounds": float(rounds),
            "tokens": float(sum(r.tokens or 0 for r in records)) * self.accelerator.num_processes,
            "all_right": right / len(groups),
            "all_wrong": wrong / len(groups),
            "all_equal": (without - right - wrong) / len(groups),
            "short": sum(not g.signal for g in chosen) / len(chosen),
        }
        for name, value in found.items():
            self._metrics["train"][f"refill/{name}"].append(value)

    def _merged(self, outputs: Sequence[Mapping[str, Any]], firsts: Sequence[tuple[int, int]]) -> dict[str, Any]:
        rows = [(r, i) for r, first in firsts for i in range(first, first + self._size)]
        out = joined(outputs, rows, self._tokenizer.pad_token_id)
        mask = learnt_tokens(out)
        out["num_items_in_batch"] = self.accelerator.gather(mask.sum()).sum()
        if any("sharing_order" in o for o in outputs):
            out["sharing_order"] = sharing_order(out["prompt_ids"], out["prompt_mask"])
        return out

    def _more_state(self) -> dict[str, Any]:
        return {**super()._more_state(), "refill": self._rule.state(), "deviations": self._seen.to_dict()}

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        self._rule.restore(state["refill"])
        self._seen = DeviationState.from_dict(state["deviations"])


def joined(outputs: Sequence[Mapping[str, Any]], rows: Sequence[tuple[int, int]], pad: int) -> dict[str, Any]:
    """The `rows` (output, row) of several generations as one, padded to its longest: prompts on the left, what belongs
    to completions on the right, and no wider than needed. Counts of the batch are left out. ValueError for a column
    whose padding is not known, such as those of images."""
    foreign = {name for o in outputs for name in o} - {*_LEFT, *_RIGHT, *_ROWS, *_MADE_ANEW}
    if foreign:
        raise ValueError(f"refilled batches can't have {', '.join(sorted(foreign))}")
    out: dict[str, Any] = {}
    for name in (*_LEFT, *_RIGHT, *_ROWS):
        if name in outputs[0]:
            values = [outputs[r][name][i] for r, i in rows]
            out[name] = _stacked(values, pad if name.endswith("_ids") else 0, left=name in _LEFT)
    width = int(out["prompt_mask"].sum(dim=1).max())
    return out | {name: out[name][:, out[name].size(1) - width :] for name in _LEFT}


def _stacked(values: Sequence[Tensor], pad: int, *, left: bool) -> Tensor:
    """(B,) or (B, longest)"""
    if values[0].dim() == 0:
        return torch.stack(list(values))
    longest = max(v.size(0) for v in values)
    missing = [longest - v.size(0) for v in values]
    return torch.stack([F.pad(v, (n, 0) if left else (0, n), value=pad) for v, n in zip(values, missing, strict=True)])
