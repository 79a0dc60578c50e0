"""GRPO on TRL with our objective. Beyond it: the reward learns why a completion ended, and every rollout becomes a
record with its verdict, reward and advantage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback
from trl import GRPOConfig

from bythebook.errors import DataError, RecipeError
from bythebook.generation.chat import tokenizer_of
from bythebook.judging.from_recipe import JUDGED, judged_reward
from bythebook.judging.perceived_recipe import PERCEIVED, perceived_reward
from bythebook.metrics.stages import Thresholds
from bythebook.objectives.deviation_filter import DeviationFilter
from bythebook.prompts import style_of
from bythebook.recipe import ObjectiveSection, Recipe, RewardSection, RolloutSection, TrainingSection
from bythebook.records import Record, append_jsonl
from bythebook.rewards import reward
from bythebook.rewards.answers import Monitor, gold_text, pooled_f1
from bythebook.rewards.overlong import Overlong, Penalised
from bythebook.rewards.stages import stage_shares, stages_in
from bythebook.rewards.text_reward import completion_text
from bythebook.schema import read_gold
from bythebook.stats.draws import draw_rule
from bythebook.tasks.mixture import last_step
from bythebook.training.adapters import lora_config
from bythebook.training.advantages import AdvantageTrainer, completion_means
from bythebook.training.arguments import common_arguments
from bythebook.training.checkpoints import Resumable
from bythebook.training.data import rl_dataset, rl_row
from bythebook.training.domains import TAG, by_domain, routed_reward
from bythebook.training.log_probs import learnt_tokens
from bythebook.training.probability_scorer import (
    COLUMN,
    NAME,
    ProbabilityScorer,
    probability_config,
    reading_of,
    scored,
)
from bythebook.training.processes import accumulation_steps, is_sharded
from bythebook.training.progress import DOMAINS
from bythebook.training.self_play_game import NAME as PLAYED
from bythebook.training.self_play_game import game_of, paid
from bythebook.training.token_roles import TokenRoles
from bythebook.training.variation import RowVariation
from bythebook.types import Example, FinishReason

__all__ = ["GuidelineGRPOTrainer", "make_grpo_trainer"]

# Shapes: B rollouts of this process in one generation, T tokens of the longest completion.


class GuidelineGRPOTrainer(Resumable, AdvantageTrainer):
    """GRPO that keeps records. `monitor` judges every rollout for accuracy and format, whatever is rewarded;
    `variation` chooses the rendering of the guideline for each batch, where the recipe asks for other ones; `scorer`
    computes a reward that needs the model; `roles` tells reasoning from what is only repeated; `scheduled_steps` are
    those of the learning rate's schedule, where training may end before."""

    def __init__(
        self,
        *,
        monitor: Monitor,
        records: Path,
        variation: RowVariation | None = None,
        scorer: ProbabilityScorer | None = None,
        roles: TokenRoles | None = None,
        scheduled_steps: int | None = None,
        **kwargs: Any,
    ) -> None:
        self._scheduled_steps = scheduled_steps
        super().__init__(**kwargs)
        self._scorer, self._roles = scorer, roles
        self._stages: Thresholds | None = next((t for f in self.reward_funcs if (t := stages_in(f))), None)
        self._monitor, self._records, self._variation = monitor, records, variation
        self._group = int(self.num_generations or 1)
        self._pending: list[Record] = []
        self._record_tags: dict[str, str] = {}

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """A mixture that ends early has had the learning rates of a whole run."""
        return super().create_scheduler(self._scheduled_steps or num_training_steps, optimizer)

    def _calculate_rewards(
        self,
        inputs: list[dict[str, Any]],
        prompts: list[Any],
        completions: list[Any],
        completion_ids_list: list[list[int]],
    ) -> torch.Tensor:
        reasons = [self._finish_reason(ids) for ids in completion_ids_list]
        for row, reason in zip(inputs, reasons, strict=True):
            row["finish_reason"] = reason  # TRL hands every column to the reward functions
        if self._scorer is not None:
            texts = [completion_text(completion) for completion in completions]
            for row, value in zip(inputs, self._scorer(self, prompts, texts, [r["gold"] for r in inputs]), strict=True):
                row[COLUMN] = value
            for name, mean in self._scorer.means.items():
                self._log_metric(f"probability/{name}", mean)
        rewards: torch.Tensor = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        values = self.rewards[self.accelerator.process_index * len(inputs) :][: len(inputs)].tolist()
        self._monitor.ahead(
            (completion_text(completion), read_gold(row["gold"]))
            for row, completion in zip(inputs, completions, strict=True)
        )
        self._pending = [
            self._record(row, completion_text(completion), len(ids), None if math.isnan(value) else value)
            for row, completion, ids, value in zip(inputs, completions, completion_ids_list, values, strict=True)
        ]
        self._log_metric("format_rate", sum(r.well_formed for r in self._pending) / len(self._pending))
        self._log_metric("accuracy", sum(bool(r.correct) for r in self._pending) / len(self._pending))
        for name, mean in by_domain(self._pending).items():
            self._log_metric(f"{DOMAINS}{name}", mean)
        if self._stages is not None:
            for stage, share in stage_shares(self._pending, self._stages, prefilled=self._monitor.prefilled).items():
                self._log_metric(f"stages/{stage}", share)
        if any(r.counts for r in self._pending):
            self._log_metric("f1", pooled_f1(r.counts for r in self._pending) or 0.0)
        return rewards

    def _more_state(self) -> dict[str, Any]:
        bare = self._scorer.initial if self._scorer else None
        return {**super()._more_state(), **({} if bare is None else {"bare_probabilities": bare})}

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        if self._scorer is not None:
            self._scorer.initial = state.get("bare_probabilities")

    def _finish_reason(self, ids: Sequence[int]) -> FinishReason:
        return "stop" if ids and ids[-1] in self.eos_token_ids else "length"

    def _record(self, row: dict[str, Any], text: str, tokens: int, value: float | None) -> Record:
        gold = read_gold(row["gold"])
        if gold is None:
            raise DataError(f"the gold column of {row['example_id']} holds no gold answer")
        answer = self._monitor(text, gold, row["finish_reason"])
        return Record(
            schema="bythebook.rollout/1",
            id=row["example_id"],
            domain=row["domain"],
            gold=gold_text(gold),
            answer=answer.text,
            correct=answer.correct,
            counts=answer.counts,
            well_formed=answer.well_formed,
            status=answer.verdict.status,
            value=value,
            completion=text,
            finish_reason=row["finish_reason"],
            tokens=tokens,
            guideline=row["guideline_hash"],
            errors=answer.verdict.errors,
            step=self.state.global_step,
            tags={tag: row[tag] for tag in ("variation", TAG) if tag in row} | self._record_tags,
        )

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if self._variation:
            # Rollouts of one generation serve `num_iterations` steps: they are one batch.
            inputs = self._variation(inputs, self.state.global_step // self.num_iterations)
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self._roles:
            seen = output["completion_mask"].bool()
            written = [row[mask].tolist() for row, mask in zip(output["completion_ids"], seen, strict=True)]
            output["reasoning"] = self._roles(written, seen.size(1)).to(seen.device)  # (B, T)
            self._metrics["train" if self.model.training else "eval"]["archer/roles_told"].append(self._roles.told)
        counts = learnt_tokens(output)
        advantages = completion_means(output["advantages"], counts).tolist()  # (B,)
        mine = [
            record.model_copy(update={"advantage": advantage})
            for record, advantage in zip(self._pending, advantages, strict=True)
        ]
        everyone = gather_object(mine)  # in the order of the processes, which is that of the batch
        if self.accelerator.is_main_process:
            numbered = (record.model_copy(update={"sample": i % self._group}) for i, record in enumerate(everyone))
            append_jsonl(self._records, numbered)
        return output


def _reward(recipe: Recipe, *, prefilled: bool) -> Any:
    section = recipe.reward
    if section is None:
        raise RecipeError(f"recipe {recipe.name!r} names no reward")
    found = _verifier(recipe, section, prefilled=prefilled)
    return found if section.overlong is None else Penalised(found, Overlong(**section.overlong.model_dump()))


def _verifier(recipe: Recipe, section: RewardSection, *, prefilled: bool) -> Any:
    """What pays before length is looked at."""
    if routed := routed_reward(recipe, prefilled=prefilled):
        return routed
    if section.name == NAME:
        return scored
    if section.name == PLAYED:
        return paid
    if section.name == JUDGED:
        return judged_reward(section.options, prefilled=prefilled)
    if section.name == PERCEIVED:
        return perceived_reward(section.options, prefilled=prefilled)
    if "tags" in section.options:
        raise RecipeError("reward.options.tags: the tags belong to the prompt, too", remedy="set prompt.tags")
    return reward(section.name, prefilled=prefilled, tags=recipe.prompt.tags, **section.options)


def _benches(section: RewardSection) -> dict[str, Any]:
    """How hard test benches try: as for what is paid, so that nothing is simulated twice."""
    options = section.options if section.name == "codev_r1" else {}
    return {name: options[name] for name in ("plan", "limits") if name in options}


def _scorer(recipe: Recipe, *, prefilled: bool) -> ProbabilityScorer | None:
    """What computes the reward of the recipe, where that needs the model."""
    section = recipe.reward
    if section is None or section.name != NAME:
        return None
    config, reading = probability_config(section.options), reading_of(section.options)
    if reading.bare == "initial" and (recipe.prompt.shuffle_relations or recipe.prompt.rename_labels != "none"):
        message = "reward.options.bare: initial reads the prompts before training, and this recipe changes them later"
        raise RecipeError(message, remedy="set prompt.shuffle_relations to false and prompt.rename_labels to none")
    return ProbabilityScorer(config, recipe.prompt.tags, reading=reading, prefilled=prefilled)


def _roles(recipe: Recipe, tokenizer: Any, *, prefilled: bool) -> TokenRoles | None:
    """What tells Archer's classes by where tokens stand, where the recipe asks for that."""
    archer = recipe.objective.archer if recipe.objective else None
    if archer is None or archer.roles != "spans":
        return None
    return TokenRoles(tokenizer, recipe.prompt.tags, prefilled=prefilled)


def _loss_arguments(o: ObjectiveSection) -> dict[str, Any]:
    """Every field of the loss that TRL has, too: from the recipe where it may vary, pinned here where it may not."""
    return {
        "loss_type": o.loss_type,
        # The reference is loaded if any token pays for leaving it.
        "beta": o.largest_beta,
        "epsilon": o.epsilon,
        "epsilon_high": o.epsilon_high,
        "delta": o.delta,
        "importance_sampling_level": o.importance_sampling_level,
        "scale_rewards": o.scale_rewards,
        "num_iterations": o.num_iterations,
        "mask_truncated_completions": o.mask_truncated_completions,
        "top_entropy_quantile": o.top_entropy_quantile,
        "entropy_coef": o.entropy_coef,
        "use_adaptive_entropy": False,
        "use_bias_correction_kl": o.use_bias_correction_kl,
        "off_policy_mask_threshold": None,
        "multi_objective_aggregation": "sum_then_normalize",
        "reward_weights": None,
        "disable_dropout": True,
        "cast_lm_head_to_fp32": False,
        "router_aux_loss_coef": None,  # mixture-of-experts models: the architecture's own
        "sync_ref_model": False,
        "vllm_importance_sampling_correction": True,
        "vllm_importance_sampling_mode": "sequence_mask",
        "vllm_importance_sampling_clip_max": 3.0,
        "vllm_importance_sampling_clip_min": None,
    }


def _rollout_arguments(r: RolloutSection, t: TrainingSection, *, shuffle: bool) -> dict[str, Any]:
    """How completions are drawn and cut into micro-batches. RecipeError if the sizes don't divide."""
    rollouts = r.prompts_per_step * r.num_generations
    accumulation = accumulation_steps(rollouts, t.micro_batch_size, "prompts_per_step x num_generations")
    return {
        "gradient_accumulation_steps": accumulation,
        "steps_per_generation": accumulation,
        "num_generations": r.num_generations,
        "temperature": r.temperature,
        "top_p": r.top_p,
        "top_k": r.top_k,
        "min_p": None,
        "repetition_penalty": 1.0,
        "max_completion_length": r.max_completion_length,
        "generation_kwargs": None,
        "chat_template_kwargs": None,
        "use_vllm": r.use_vllm,
        "shuffle_dataset": shuffle,
        "log_completions": False,
    }


def _trainer_of(
    recipe: Recipe, objective: ObjectiveSection, rollout: RolloutSection, *, prefilled: bool
) -> tuple[type[GuidelineGRPOTrainer], dict[str, Any]]:
    """The class of trainer that samples and learns as the recipe says, and what it is given for that. RecipeError for
    PPO and self-play where no process holds the whole model."""
    if (objective.ppo or rollout.self_play) and is_sharded():
        name = "objective.ppo" if objective.ppo else "rollout.self_play"
        raise RecipeError(f"{name} needs the whole model on every device", remedy="use ddp")
    if rollout.self_play is not None or (recipe.reward and recipe.reward.name == PLAYED):
        from bythebook.training.self_play import SelfPlayTrainer

        game = game_of(recipe, style_of(recipe.prompt), prefilled=prefilled)
        common = rollout.self_play is not None and rollout.self_play.baseline == "batch"
        return SelfPlayTrainer, {"game": game, "common_baseline": common}
    if objective.ppo is not None:
        from bythebook.training.ppo_trainer import PPOTrainer

        return PPOTrainer, {}
    refill = rollout.refill
    if refill is None:
        return GuidelineGRPOTrainer, {}
    from bythebook.training.refill import RefillingTrainer

    deviation = DeviationFilter(**refill.deviation.model_dump()) if refill.deviation else None
    rule = draw_rule(refill.rule, refill.window)
    return RefillingTrainer, {"rule": rule, "max_prompts": refill.max_prompts, "deviation": deviation}


def make_grpo_trainer(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    output: Path,
    callbacks: Sequence[TrainerCallback],
    *,
    prefilled: bool,
) -> GuidelineGRPOTrainer:
    """The trainer of an RL recipe. RecipeError if it is not one, its sizes don't divide, or it can't be had here."""
    if recipe.reward is None or recipe.objective is None or recipe.rollout is None:
        raise RecipeError(f"recipe {recipe.name!r} is not an RL recipe")
    trainer, more = _trainer_of(recipe, recipe.objective, recipe.rollout, prefilled=prefilled)
    # TRL would move the thinking out of the text that is judged.
    words = tokenizer_of(tokenizer)
    words.response_template = words.response_schema = None
    arguments = GRPOConfig(
        **common_arguments(recipe, output),
        **_loss_arguments(recipe.objective),
        # A mixture has drawn the order of the rows.
        **_rollout_arguments(recipe.rollout, recipe.training, shuffle=recipe.data.mixture is None),
    )
    arguments.max_steps = last_step(recipe, examples)
    style = style_of(recipe.prompt)
    rows = rl_dataset(examples, tokenizer, style)
    variation = RowVariation(examples, lambda e: rl_row(e, tokenizer, style), recipe.prompt, recipe.seed)
    if variation.active:
        rows = rows.add_column("row", list(range(len(rows))))
    return trainer(
        **more,
        scheduled_steps=recipe.training.max_steps,
        objective=recipe.objective,
        share_prefix=recipe.rollout.share_prefix,
        pack_tokens=recipe.training.pack_tokens,
        monitor=Monitor(prefilled=prefilled, tags=recipe.prompt.tags, circuits=_benches(recipe.reward)),
        records=output / "records" / "rollouts.jsonl",
        model=model,
        args=arguments,
        processing_class=tokenizer,
        reward_funcs=[_reward(recipe, prefilled=prefilled)],
        scorer=_scorer(recipe, prefilled=prefilled),
        roles=_roles(recipe, words, prefilled=prefilled),
        train_dataset=rows,
        variation=variation if variation.active else None,
        callbacks=list(callbacks),
        peft_config=lora_config(recipe),
    )
