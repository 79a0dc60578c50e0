"""Are both sides' steps equal? One recorded generation goes through both losses.

TRL generates and scores it once. Then the weights of both sides are moved by the same small noise, so that the
probability ratios are not 1 and the loss depends on every log-prob, and each trainer makes one step of that generation
by its own way: its splits into micro-batches, its forward and backward passes. Compared are the loss of the step and
the gradient of each parameter before the optimiser uses it. Advantages are moved up by 1: those of a group add up to
0, and so nearly would the loss, of which no digit could be compared.
"""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback
from trl import GRPOTrainer

from bythebook.errors import ModelError
from bythebook.training.benches.steps import arguments, make_trainer
from bythebook.training.benches.turns import Turns
from bythebook.training.benches.workload import Workload, set_up
from bythebook.training.sharing import SharingTrainer

__all__ = ["compare"]

_NOISE = 0.05
"""Of each parameter's own spread."""


def compare(turns: Turns, *, ours: int, peer: int, workload: dict[str, Any]) -> None:
    """`{"loss", "gradient"}`: relative errors, that of the gradient the largest over parameters. `ours` and `peer` are
    micro-batches."""
    given = Workload(**workload)
    set_up(given)
    turns.begin()
    with tempfile.TemporaryDirectory() as folder:
        recorded = _recorded(given, folder, peer)
        their_loss, theirs = _step(given, folder, "trl", peer, recorded)
        our_loss, mine = _step(given, folder, "ours", ours, recorded)
    gradient = max(float((mine[name] - g).norm() / g.norm()) for name, g in theirs.items())
    turns.end({"loss": abs(our_loss - their_loss) / abs(their_loss), "gradient": gradient, "loss_value": their_loss})
    turns.begin()


class _Recording(GRPOTrainer):
    """Keeps what it generated, with the log-probs of the model that generated it."""

    recorded: dict[str, Any]

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        ids, mask = (torch.cat([output[f"prompt_{x}"], output[f"completion_{x}"]], dim=1) for x in ("ids", "mask"))
        length, rows = output["completion_ids"].shape[1], self.args.per_device_train_batch_size
        with torch.no_grad():
            old, *_ = self._get_per_token_logps_and_entropies(self.model, ids, mask, length, batch_size=rows)
        moved = {"old_per_token_logps": old.clone(), "advantages": output["advantages"] + 1}
        self.recorded = {**_copied(output), **moved}
        return output


class _Replayed(GRPOTrainer):
    """Takes a recorded generation for its own."""

    recorded: dict[str, Any]

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        return _copied(self.recorded)


class _Losses(GRPOTrainer):
    """Keeps the losses of the micro-batches."""

    losses: list[float]

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        loss: Tensor = super().compute_loss(*args, **kwargs)
        self.losses.append(loss.item())
        return loss


class _Theirs(_Losses, _Replayed):
    pass


class _Ours(_Losses, SharingTrainer, _Replayed):
    # In the order of resolution the recorded generation stands where TRL's own stood, below our trainer.
    pass


class _Gradients(TrainerCallback):
    """Keeps the gradients that the optimiser is given."""

    def __init__(self) -> None:
        self.found: dict[str, Tensor] = {}

    def on_pre_optimizer_step(self, *_: Any, model: Any = None, **__: Any) -> None:
        self.found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def _recorded(workload: Workload, folder: str, micro_batch: int) -> dict[str, Any]:
    settings = arguments(workload, folder, micro_batch=micro_batch, checkpointing=False, max_steps=1)
    trainer = make_trainer("trl", workload, settings, {"trl": _Recording})
    trainer.train()
    recorded: dict[str, Any] = trainer.recorded
    return recorded


def _step(
    workload: Workload, folder: str, side: str, micro_batch: int, recorded: dict[str, Any]
) -> tuple[float, dict[str, Tensor]]:
    """(loss, gradients) of the step that a side makes of the recorded generation."""
    # Clipping would hide a common factor.
    settings = arguments(workload, folder, micro_batch=micro_batch, checkpointing=False, max_steps=1, max_grad_norm=0.0)
    trainer = make_trainer(side, workload, settings, {"trl": _Theirs, "ours": _Ours})
    if side == "ours" and not trainer.shares_prefix:
        raise ModelError("our trainer does not share prefixes of this model", remedy="there is nothing to compare")
    generator = torch.Generator().manual_seed(workload.seed)
    with torch.no_grad():
        for p in trainer.model.parameters():
            p.add_(_NOISE * p.std(correction=0) * torch.randn(p.shape, generator=generator).to(p))
    gradients = _Gradients()
    trainer.add_callback(gradients)
    trainer.recorded, trainer.losses = recorded, []
    trainer.train()
    return sum(trainer.losses), gradients.found


def _copied(output: dict[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in output.items()}
