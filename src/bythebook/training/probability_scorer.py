"""RLPR in the trainer: the reward of a rollout is how probable its reasoning makes the reference answer.

No verifier is asked: the policy itself reads the reference behind the reasoning, in one more forward pass that shares
prefixes. The numbers reach TRL as a column that the reward function hands on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from accelerate.utils import gather_object
from torch import Tensor

from bythebook.errors import RecipeError
from bythebook.objectives.probability_reward import ProbabilityRewardConfig, answer_score, probability_reward
from bythebook.parsing.repetition import most_repeated
from bythebook.parsing.splice import Splice, has_form, splice_reference
from bythebook.parsing.splice_release import has_released_form, splice_released, splice_released_baseline
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.parsing.token_spans import OffsetEncoder
from bythebook.rewards.answers import gold_text
from bythebook.schema import read_gold
from bythebook.schema.table_answers import TableGold
from bythebook.training.probability import ReferenceLogProbs, log_probs_of_references, reasoned_and_bare
from bythebook.training.processes import is_sharded
from bythebook.training.rollouts import tokenised

__all__ = ["COLUMN", "NAME", "ProbabilityScorer", "Reading", "probability_config", "reading_of", "scored"]

NAME = "probability"
COLUMN = "probability_reward"
_REPEATS = 10
"""Times that ten words may stand in a completion before it counts as repeating itself (published code)."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Where r and r′ are read. ValueError for a value that there is not."""

    splice: Literal["strict", "released"] = "strict"
    """In which completions the reference is put: our splice, or the published code's, which takes an answer without
    its last tag, and an empty one."""
    bare: Literal["current", "initial"] = "current"
    """What r′ is: the current policy's, in the same tags; or as in the published code that of the policy before
    training, once for every example, of the reference behind the prompt without tags."""

    def __post_init__(self) -> None:
        for value, names in ((self.splice, ("strict", "released")), (self.bare, ("current", "initial"))):
            if value not in names:
                raise ValueError(f"{value!r} is none of {', '.join(names)}")

    @classmethod
    def released(cls) -> Reading:
        """That of the published code."""
        return cls(splice="released", bare="initial")


def probability_config(options: Mapping[str, Any]) -> ProbabilityRewardConfig:
    """The reward that the options of a recipe describe. `released: true` starts from what the published code has.
    RecipeError for an unknown option, or a value out of range."""
    return _read(options)[0]


def reading_of(options: Mapping[str, Any]) -> Reading:
    """Where they say that r and r′ are read; errors as of `probability_config`."""
    return _read(options)[1]


def _read(options: Mapping[str, Any]) -> tuple[ProbabilityRewardConfig, Reading]:
    given = dict(options)
    released = given.pop("released", False) is True
    config = ProbabilityRewardConfig.released() if released else ProbabilityRewardConfig()
    reading = Reading.released() if released else Reading()
    of_config, of_reading = ([field.name for field in dataclasses.fields(base)] for base in (config, reading))
    remedy = f"its options are {', '.join([*of_config, *of_reading, 'released'])}"
    if unknown := sorted(set(given) - {*of_config, *of_reading}):
        raise RecipeError(f"reward {NAME!r} has no option {', '.join(unknown)}", remedy=remedy)
    try:
        return (
            dataclasses.replace(config, **{k: v for k, v in given.items() if k in of_config}),
            dataclasses.replace(reading, **{k: v for k, v in given.items() if k in of_reading}),
        )
    except (ValueError, TypeError) as error:
        raise RecipeError(f"reward {NAME!r}: {error}", remedy=remedy) from None


def scored(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
    """The reward function for TRL: what the scorer put into the column."""
    found: list[float | None] = list(columns[COLUMN])
    return found


scored.__name__ = NAME  # TRL names its columns after this


class ProbabilityScorer:
    """Scores the rollouts of a batch. `means` holds those of the parts of the last batch, for the metrics. RecipeError
    for the published splice where the prompt begins the answer: it asks for every tag."""

    def __init__(
        self, config: ProbabilityRewardConfig, tags: str, *, reading: Reading | None = None, prefilled: bool = False
    ) -> None:
        self.config, self.reading = config, reading or Reading()
        self.tags, self.prefilled = TAG_SETS[tags], prefilled
        if prefilled and self.reading.splice == "released":
            remedy = "set reward.options.splice to strict"
            raise RecipeError("the published splice can't be used with a prompt that opens the thinking", remedy=remedy)
        self.means: dict[str, float] = {}
        self.initial: dict[str, float] | None = None
        """r′ of each training example, by prompt and reference, where it is that of the policy before training."""
        self._encoder: OffsetEncoder | None = None
        self._told = False

    def __call__(
        self, trainer: Any, prompts: Sequence[Any], texts: Sequence[str], golds: Sequence[str]
    ) -> list[float | None]:
        """B prompts, completions and golds as JSON → rewards; None where the reference can't be scored.

        RecipeError for a model that lies in parts on several devices, whose processes would need as many passes each;
        and, where r′ is that of the policy before training, for a prompt that is none of the training examples'.
        """
        if is_sharded():
            raise RecipeError(f"reward {NAME!r} needs the model whole on every device", remedy="use ddp")
        references = [_reference(gold) for gold in golds]
        reasoned, baseline = self._read(trainer, prompts, texts, references)
        if texts and not reasoned.mask.any() and not self._told:
            self._told = True
            due = " ".join(self.tags.tags)
            warnings.warn(f"no completion of a batch has {due}, so that none earns anything", stacklevel=2)
        device, has = reasoned.mask.device, self._has_form
        reward, parts = probability_reward(
            *reasoned,
            self.config,
            baseline=baseline.to(device),
            form=torch.tensor([has(text) for text in texts], device=device).float(),
            repeats=torch.tensor([most_repeated(t) >= _REPEATS for t in texts], device=device),
        )
        self.means = {name: float(value.nanmean()) for name, value in parts.items()}
        return [None if value != value else value for value in reward.tolist()]

    def _read(
        self, trainer: Any, prompts: Sequence[Any], texts: Sequence[str], references: Sequence[str]
    ) -> tuple[ReferenceLogProbs, Tensor]:
        """r's log-probs, and r′ (B,)."""
        ids, how = tokenised(prompts, trainer), self._how(trainer)
        kind, encoder = self.config.score, self._encoder_of(trainer)
        if self.reading == Reading():
            found = reasoned_and_bare(
                trainer.model, encoder, ids, texts, references, self.tags, prefilled=self.prefilled, **how
            )
            return found.reasoned, answer_score(*found.bare, kind)
        if self.reading.bare == "initial" and self.initial is None:
            self.initial = self._before_training(trainer)
        pairs = list(zip(texts, references, strict=True))
        splices = [self._spliced(*pair) for pair in pairs]
        reasoned = log_probs_of_references(trainer.model, encoder, ids, splices, **how)
        if self.initial is not None:
            return reasoned, self._looked_up(prompts, references)
        bare = [splice_reference(*pair, self.tags, prefilled=self.prefilled, thinking=False) for pair in pairs]
        return reasoned, answer_score(*log_probs_of_references(trainer.model, encoder, ids, bare, **how), kind)

    def _spliced(self, text: str, reference: str) -> Splice | None:
        if self.reading.splice == "released":
            return splice_released(text, reference, self.tags)
        return splice_reference(text, reference, self.tags, prefilled=self.prefilled)

    def _has_form(self, text: str) -> bool:
        if self.reading.splice == "released":
            return has_released_form(text, self.tags)
        return has_form(text, self.tags, prefilled=self.prefilled)

    def _looked_up(self, prompts: Sequence[Any], references: Sequence[str]) -> Tensor:
        assert self.initial is not None
        keys = [_key(*pair) for pair in zip(prompts, references, strict=True)]
        if any(key not in self.initial for key in keys):
            message = "r′ was read before training for prompts that are not these"
            raise RecipeError(message, remedy="leave prompts as they are, or set reward.options.bare to current")
        return torch.tensor([self.initial[key] for key in keys])

    def _before_training(self, trainer: Any) -> dict[str, float]:
        """r′ of every training example, each process a part of them. RecipeError once the policy has changed."""
        if trainer.state.global_step:
            message = "the checkpoint does not hold r′ of the policy before training"
            raise RecipeError(message, remedy="start the run anew")
        rows = {_key(row["prompt"], r): (row["prompt"], r) for row, r in _rows(trainer.train_dataset)}
        mine = list(rows.items())[trainer.accelerator.process_index :: trainer.accelerator.num_processes]
        prompts, references = [prompt for _, (prompt, _) in mine], [reference for _, (_, reference) in mine]
        found: dict[str, float] = {}
        if mine:
            splices = [splice_released_baseline(reference) for reference in references]
            encoder, ids = self._encoder_of(trainer), tokenised(prompts, trainer)
            # Not through the wrapper of several processes: each has its own number of passes.
            how = self._how(trainer)
            scores = log_probs_of_references(how["inner"], encoder, ids, splices, **how)
            found = dict(zip((key for key, _ in mine), answer_score(*scores, self.config.score).tolist(), strict=True))
        everyone: list[dict[str, float]] = gather_object([found])
        return {key: value for part in everyone for key, value in part.items()}

    def _encoder_of(self, trainer: Any) -> OffsetEncoder:
        self._encoder = self._encoder or OffsetEncoder(trainer.processing_class)
        return self._encoder

    def _how(self, trainer: Any) -> dict[str, Any]:
        return {
            "temperature": trainer.temperature,
            "inner": trainer.accelerator.unwrap_model(trainer.model),
            "pack_tokens": trainer.pack_tokens,
            "share_prefix": trainer.shares_prefix,
        }


def _reference(gold: str) -> str:
    """What is put in the place of the answer. RecipeError for a gold about a table: its answers stand in a fence, and
    the reference alone would be improbable however good the reasoning is."""
    found = read_gold(gold)
    if isinstance(found, TableGold):
        raise RecipeError(f"reward {NAME!r} reads no answers about tables", remedy="pay them by table_r1")
    return "" if found is None else gold_text(found)


def _rows(dataset: Any) -> Iterable[tuple[Any, str]]:
    return ((row, _reference(row["gold"])) for row in dataset)


def _key(prompt: Any, reference: str) -> str:
    """A digest: a guideline in every key would make a checkpoint as large as the data."""
    return hashlib.sha256(json.dumps([prompt, reference], sort_keys=True).encode()).hexdigest()[:32]
