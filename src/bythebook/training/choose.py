"""Which step's model is kept: the one with the best greedy accuracy on a development split, never on test.

Candidates are the model before training and that of every probed step; of equals the earlier one. The best so far lies
in `chosen/step-N`, `chosen.json` holds every accuracy seen, and the end of training moves the folder to `model`. A
resumed run finds what was chosen before. A candidate of a later step than the checkpoint stays one: it was measured
like the others, and the repeated steps lead to it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerControl, TrainerState, TrainingArguments

from bythebook.errors import RecipeError
from bythebook.generation import ModelSettings
from bythebook.recipe import Recipe
from bythebook.records import append_jsonl, write_text
from bythebook.schema import gold_of
from bythebook.training.checkpoints import discard
from bythebook.training.probe import make_probe
from bythebook.training.progress import ProbeCallback
from bythebook.training.resume import keep_model
from bythebook.types import Example

__all__ = ["Chooser", "make_chooser"]


class Chooser(ProbeCallback):
    """A probe of one split that keeps the best model. It keeps it on the main process only, which alone probes."""

    def __init__(self, output: Path, split: str, examples: int, every: int, probe: Any, keep: Any) -> None:
        """`probe()` gives `{"<split>_accuracy": …}`, and of joint extraction `<split>_f1`, by which is chosen then;
        `keep(model, folder)` saves a model, whole or not at all."""
        super().__init__(output / "metrics.jsonl", every, probe)
        self.output, self.split, self.examples, self.keep = output, split, examples, keep
        self.seen: dict[int, float] = {}
        self.best: int | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take over what a run that is resumed has chosen; forget what another one left."""
        if not state.is_world_process_zero:
            return
        if state.global_step == 0:
            discard(self.output / "chosen")
            (self.output / "chosen.json").unlink(missing_ok=True)
        else:
            self._restore()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The model before training is a candidate."""
        if state.global_step == 0:
            self._consider(state, kwargs["model"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """So is every `every`-th one, and the last."""
        if state.global_step % self.every == 0 or state.global_step == state.max_steps:
            self._consider(state, kwargs["model"])

    def _consider(self, state: TrainerState, model: Any) -> None:
        if not state.is_world_process_zero:
            return
        step, found = state.global_step, self.probe()
        append_jsonl(self.path, [{"step": step, "eval": found}])
        value = float(found.get(f"{self.split}_f1", found[f"{self.split}_accuracy"]) or 0.0)
        self.seen[step] = value
        last = self.best
        if last is None or (value, -step) > (self.seen[last], -last):
            discard(self._folder(step))
            self.keep(model, self._folder(step))
            self.best = step
        self._note()
        if last is not None and last != self.best:
            discard(self._folder(last))

    def take(self, folder: Path) -> None:
        """Move the chosen model to `folder`."""
        if self.best is None:
            self._restore()
        self._folder(self.best or 0).rename(folder)
        discard(self.output / "chosen")

    def _folder(self, step: int) -> Path:
        return self.output / "chosen" / f"step-{step}"

    def _note(self) -> None:
        best = self.best or 0
        note = {
            "on": self.split,
            "examples": self.examples,
            "step": best,
            "accuracy": self.seen[best],
            "seen": [{"step": step, "accuracy": value} for step, value in sorted(self.seen.items())],
        }
        write_text(self.output / "chosen.json", json.dumps(note, indent=2) + "\n")

    def _restore(self) -> None:
        note = json.loads((self.output / "chosen.json").read_text(encoding="utf-8"))
        self.seen = {int(row["step"]): float(row["accuracy"]) for row in note["seen"]}
        self.best = int(note["step"])


def make_chooser(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    splits: Mapping[str, Sequence[Example]],
    settings: ModelSettings,
    output: Path,
) -> Chooser | None:
    """The chooser of a recipe, None where it names no split to choose on. RecipeError where that split has no labelled
    example."""
    e = recipe.evaluation
    if e.choose_on is None:
        return None
    examples = [x for x in splits.get(e.choose_on, []) if gold_of(x) is not None][: e.limit]
    if not examples:
        raise RecipeError(
            f"evaluation.choose_on: there is no labelled example in a split {e.choose_on!r}",
            remedy=f"splits here are: {', '.join(splits)}; `bythebook data split` makes one",
        )
    probe = make_probe(model, tokenizer, {e.choose_on: examples}, settings.style, e.max_new_tokens, settings.tags)

    def keep(trained: Any, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        keep_model(trained, tokenizer, settings, folder)

    return Chooser(output, e.choose_on, len(examples), e.every, probe, keep)
