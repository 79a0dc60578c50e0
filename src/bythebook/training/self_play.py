"""Self-play in the trainer: a step's rollouts are whatever a game plays with the model (Absolute Zero, arXiv
2505.03335, is one), and advantages are those of TRR++, a baseline for every cell of role and kind.

TRL asks for rollouts with its hook `rollout_func`; the prompts that it hands over only say how many. The verdicts come
back with the rollouts, so that TRL's rewards, log-probs and update are what they always are. With several processes
each plays its share, and what they find goes to all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor

from bythebook.errors import DataError, RecipeError
from bythebook.generation.chat import prompt_text
from bythebook.objectives.task_relative import released_task_relative_advantages, task_relative_advantages
from bythebook.recipe import ObjectiveSection
from bythebook.records import Record, loads
from bythebook.stats import mean
from bythebook.training.grpo import GuidelineGRPOTrainer
from bythebook.training.self_play_game import Game, Messages, Played, Written
from bythebook.types import Verdict

__all__ = ["SelfPlayTrainer"]

# Shapes: B rollouts of this process, N of all processes, T tokens of the longest completion.

_FILE = "self_play.json"


class SelfPlayTrainer(GuidelineGRPOTrainer):
    """GRPO's loss over what a game plays. `common_baseline` takes one baseline for the whole batch instead of one a
    cell. RecipeError where a step can't have equally many rollouts of each cell in every process."""

    def __init__(self, *, game: Game, common_baseline: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.game, self._common = game, common_baseline
        self._draw, self.rollout_func = self.rollout_func, self._play
        self._group = 1  # nothing is drawn twice for one prompt
        self._cells = torch.zeros(0, dtype=torch.long)
        rollouts = self.args.per_device_train_batch_size * self.args.steps_per_generation
        if rollouts % len(game.cells):
            message = f"{rollouts} rollouts of a process are not equally many of {len(game.cells)} roles and kinds"
            raise RecipeError(f"rollout.self_play: {message}", remedy="change rollout.prompts_per_step")

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """As TRL's; what the game has started ends with it, whatever happens."""
        try:
            return super().train(*args, **kwargs)
        finally:
            self.game.close()

    # ------------------------------------------------------------------------------------------------- rollouts

    def _play(self, prompts: Sequence[Any], _: Any) -> dict[str, Any]:
        """TRL's `rollout_func`: as many rollouts as there are prompts, with the columns that rewards and records
        read."""
        process = self.accelerator.process_index
        seed = f"bythebook self-play/{self.args.seed}/{self.state.global_step}/{process}"
        played = [_known(*turn) for turn in self.game.step(self.write, len(prompts), seed, gather_object)]
        numbers = [self.game.cells.index((p.role, p.kind)) for p in played]
        self._cells = torch.tensor([0] * len(numbers) if self._common else numbers)
        self._tell(played)
        texts = [p.written for p in played]
        logprobs = [w.logprobs for w in texts]
        return {
            "prompt_ids": [w.prompt_ids for w in texts],
            "completion_ids": [w.completion_ids for w in texts],
            "logprobs": None if None in logprobs else logprobs,
            "verdict": [p.verdict for p in played],
            "role": [p.role for p in played],
            "kind": [p.kind for p in played],
            "number": list(range(len(played))),
        }

    def write(self, prompts: Sequence[Messages], n: int) -> list[list[Written]]:
        """`n` completions for each prompt, drawn as the recipe's rollouts are, no more at once than a step has."""
        chat = getattr(self._tokenizer, "chat_template", None)
        given = [p if chat else prompt_text(self._tokenizer, p) for p in prompts for _ in range(n)]
        most = self.args.per_device_train_batch_size * self.args.steps_per_generation
        most = max(n, most // n * n)
        rows = [w for start in range(0, len(given), most) for w in self._written(given[start : start + most])]
        return [rows[i : i + n] for i in range(0, len(rows), n)]

    def _written(self, prompts: list[Any]) -> list[Written]:
        if self._draw is not None:
            drawn = self._draw(prompts, self)
            prompt_ids, completion_ids, logprobs = (drawn[k] for k in ("prompt_ids", "completion_ids", "logprobs"))
        else:
            prompt_ids, _, _ = self._tokenize_prompts(prompts)
            drawn_here: Any = self._generate_single_turn
            completion_ids, logprobs = drawn_here(prompt_ids, None, {}, 1)
        texts = self._tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
        known = logprobs or [None] * len(texts)
        return [Written.of(*row) for row in zip(texts, prompt_ids, completion_ids, known, strict=True)]

    def _tell(self, played: Sequence[Played]) -> None:
        """Metrics by role and kind: mean reward, and the share whose verdict is `ok`."""
        everyone = gather_object([(p.role, p.kind, p.verdict.value, p.verdict.correct) for p in played])
        for role, kind in self.game.cells:
            own = [(value, right) for r, k, value, right in everyone if (r, k) == (role, kind)]
            found = {"reward": mean(v for v, _ in own), "ok": mean(float(right) for _, right in own)}
            for name, value in found.items():
                if value is not None:
                    self._metrics["train"][f"self_play/{role}_{kind}_{name}"].append(value)

    # ----------------------------------------------------------------------------------- advantages and records

    @torch.no_grad()
    def _learnt_from(self, output: dict[str, Any], objective: ObjectiveSection) -> dict[str, Tensor]:
        rollouts = self._rollouts(output, objective)
        cells = self.accelerator.gather(self._cells.to(rollouts.rewards.device))  # (N,)
        if objective.advantages_by == "task_relative_tokens":
            advantages = released_task_relative_advantages(rollouts.rewards, rollouts.mask, cells)  # (N, T)
        else:
            advantages = task_relative_advantages(rollouts.rewards, cells)  # (N,)
        return {"advantages": self._mine(advantages, output)}

    def _record(self, row: dict[str, Any], text: str, tokens: int, value: float | None) -> Record:
        verdict, role, kind = row["verdict"], row["role"], row["kind"]
        step, process = self.state.global_step, self.accelerator.process_index
        return Record(
            schema="bythebook.rollout/1",
            id=f"{role}-{kind}-{step}-{process}-{row['number']}",
            domain=kind,
            correct=verdict.correct,
            well_formed=verdict.status not in ("malformed", "truncated"),
            status=verdict.status,
            value=value,
            completion=text,
            finish_reason=row["finish_reason"],
            tokens=tokens,
            errors=tuple(part.reason for part in verdict.parts.values() if part.reason),
            step=step,
            tags={"role": role, "kind": kind},
        )

    # ---------------------------------------------------------------------------------------------- checkpoints

    def _save_more(self, folder: Path) -> None:
        super()._save_more(folder)
        (folder / _FILE).write_text(json.dumps(self.game.state()), encoding="utf-8")

    def _load_more(self, checkpoint: Path) -> None:
        super()._load_more(checkpoint)
        try:
            state: Mapping[str, Any] = loads((checkpoint / _FILE).read_text(encoding="utf-8"))
            self.game.restore(state)
        except (OSError, ValueError, KeyError, TypeError):
            message = "the state of self-play can't be read"
            raise DataError(message, file=checkpoint / _FILE, remedy="start anew with another --output") from None


def _known(written: str, verdict: Verdict, role: str, kind: str) -> Played:
    """What a game gives back, typed. TypeError for a text that the writer has not written."""
    if not isinstance(written, Written):
        raise TypeError("a game learns from what its writer has written")
    return Played(written, verdict, role, kind)
