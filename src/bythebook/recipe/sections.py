"""What a recipe may say: one class a section, one field a key."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from bythebook.recipe.domains import refuse_mixing
from bythebook.recipe.reward import OverlongSection, RewardSection
from bythebook.recipe.section import Section as _Section
from bythebook.recipe.self_play import SelfPlaySection, self_play_fault

__all__ = [
    "ArcherSection",
    "DataSection",
    "DeviationSection",
    "EvaluationSection",
    "KnowledgeSection",
    "LoraSection",
    "ModelSection",
    "MoreData",
    "ObjectiveSection",
    "OverlongSection",
    "PPOSection",
    "PromptSection",
    "Recipe",
    "RefillSection",
    "RewardSection",
    "RolloutSection",
    "SelfPlaySection",
    "Tags",
    "TrainingSection",
]


class LoraSection(_Section):
    """Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) in place of full fine-tuning."""

    r: int = Field(ge=1)
    """Rank."""
    alpha: float = Field(gt=0)
    """The update is scaled by alpha / r."""
    dropout: float = Field(ge=0, lt=1)
    target_modules: str | tuple[str, ...]
    """Names of the layers that are adapted; `all-linear`: every linear layer but the output."""


class ModelSection(_Section):
    """Which model, and in which precision."""

    path: str
    """A folder, a hub id, `embedded` (the model in the package) or `scratch` (built from `scratch`)."""
    revision: str | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"
    lora: LoraSection | None = None
    """None: every weight is trained, but those of `freeze`."""
    freeze: int = Field(default=0, ge=0)
    """Layers from the first one on that stay as they are, with the embedding and the last norm; not beside `lora`."""
    scratch: dict[str, Any] = Field(default_factory=dict)
    """Options of training.small_models for `path: scratch`."""


class MoreData(_Section):
    """Another task whose examples are trained on as well."""

    task: str
    path: str | None = None
    train_split: str = "train"
    options: dict[str, Any] = Field(default_factory=dict)
    weight: float = Field(default=1.0, gt=0, le=1000)
    """How often each of its examples stands among the training examples; of a fraction some are drawn."""
    steps: int | None = Field(default=None, ge=1)
    """SFT: alone for so many steps, before all that has none; one of the own task takes over its path and options."""
    name: str | None = None
    """As a domain of `mixture`, of metrics and of records; null: its task."""
    reward: RewardSection | None = None
    """RL: what its answers are paid by; null: as those of the own task."""


class DataSection(_Section):
    """Which task, and how its examples are drawn."""

    task: str
    path: str | None = None
    train_split: str = "train"
    options: dict[str, Any] = Field(default_factory=dict)
    """Passed to the task's `load`."""
    target: str | None = None
    """SFT only: which of the task's targets is imitated (`answer`, `mimic`, …), or a JSONL of records to imitate."""
    also: tuple[MoreData, ...] = ()
    """Further training data; what is watched and scored is the task's own."""
    name: str | None = None
    """What the own task is called beside these; null: its task."""
    mixture: dict[str, float] | None = None
    """RL: shares by which the domains are drawn, example by example, each once; see tasks.mixture. A domain that is not
    named is not drawn. Null: all examples in one heap."""
    reward_ranges: Literal["same", "any"] = "same"
    """RL: whether rewards of domains must pay from the same least to the same most."""
    only: tuple[str, ...] = ()
    """Ids of the training examples that are trained on, in this order; empty: all."""
    repeat: int | None = Field(default=None, ge=1)
    """Rows of training that these are duplicated to, each with an id of its own; null: every example is one row."""

    @field_validator("only")
    @classmethod
    def _each_once(cls, only: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(only)) < len(only):
            raise ValueError("an id stands there twice")
        return only


Tags = Literal["think", "reasoning_think", "plan", "answer"]
"""Names of `parsing.TAG_SETS`."""


class PromptSection(_Section):
    """How prompts are written; see prompts.PromptStyle."""

    template: Literal["r1_re", "short"]
    rendering: Literal["full", "condensed", "rules", "brief"]
    shuffle_relations: bool = False
    """Training shows the relations in another order in every batch."""
    rename_labels: Literal["none", "opaque", "permute"] = "none"
    """Training shows the relations under other names in every batch: codes that say nothing, or each other's names.
    Gold follows; see guidelines.variations."""
    tags: Tags = "think"
    """Joint extraction: which blocks stand around reasoning and answer, in the prompt, in parsing and in the reward."""


class KnowledgeSection(_Section):
    """Clip and KL of the tokens that are not reasoning; see objectives.archer."""

    epsilon: float = Field(gt=0)
    epsilon_high: float = Field(gt=0)
    delta: float | None
    beta: float = Field(ge=0)


class ArcherSection(_Section):
    """RL only: two classes of tokens. Clip and KL of reasoning are those of the objective itself."""

    knowledge: KnowledgeSection
    roles: Literal["entropy", "spans"] = "entropy"
    """What tells them apart: the entropy of a token, or where it stands (ours: answer and quotes are knowledge)."""
    quantile: float = Field(ge=0, le=1)
    """Of the entropies of a response, above which its tokens are reasoning."""
    ties: Literal["strict", "paper"]
    kl_norm: Literal["response", "class"]
    """Over which tokens the KL of a class is averaged."""


class PPOSection(_Section):
    """RL only: a critic beside the policy, and advantages by GAE; see training.ppo_trainer and objectives.ppo."""

    gamma: float = Field(ge=0, le=1)
    """Discount of a reward by every token that lies before it."""
    gae_lambda: float = Field(ge=0, le=1)
    critic_learning_rate: float = Field(ge=0)
    """The same in every step; the rest of its optimiser is that of the policy."""
    value_clip: float | None = Field(gt=0)
    """How far a value may move in one rollout before its gain no longer counts; null: no clip."""
    value_coef: float = Field(ge=0)
    """Factor of the critic's loss. Its optimiser is its own, so it matters at `max_grad_norm` alone, and at 0."""
    whiten: bool
    """Advantages get mean 0 and deviation 1 over the tokens of the batch."""
    critic_warmup_steps: int = Field(ge=0)
    """First steps, in which the critic learns and the policy stays as it is."""


class ObjectiveSection(_Section):
    """RL only: every field of the loss; see objectives.policy_loss."""

    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo"]
    beta: float = Field(ge=0)
    kl_estimator: Literal["k1", "k2", "k3"]
    """How the KL is estimated; see objectives.kl for what each one's gradient is."""
    epsilon: float = Field(gt=0)
    epsilon_high: float | None = Field(gt=0)
    delta: float | None
    """Cap of the ratio under a negative advantage, above 1 + epsilon_high (two-sided clip)."""
    importance_sampling_level: Literal["token", "sequence"]
    scale_rewards: Literal["group", "batch", "none"]
    """`advantages_by: group` only: what advantages are divided by. The others have their own divisor, or none."""
    num_iterations: int = Field(ge=1)
    mask_truncated_completions: bool
    top_entropy_quantile: float = Field(gt=0, le=1)
    entropy_coef: float
    use_bias_correction_kl: bool
    archer: ArcherSection | None = None
    """Another clip and KL for tokens at which the policy is sure; null: all tokens alike."""
    ppo: PPOSection | None = None
    """Advantages from a critic; null: none, as `advantages_by` says."""
    advantages_by: Literal[
        "group",
        "reinforce",
        "rloo",
        "reinforce_pp",
        "reinforce_pp_baseline",
        "rlpr",
        "task_relative",
        "task_relative_tokens",
    ] = "group"
    """What is taken off a reward, and what it is divided by; see objectives.baselines. `group`: GRPO. The last two are
    of self-play: see objectives.task_relative."""
    normalise_rewards: bool = False
    """Rewards get mean 0 and deviation 1 over the batch, before the KL is taken off."""
    kl_in_reward: float = Field(default=0.0, ge=0)
    """β of the KL that is taken off the reward: summed over a completion, or under `reinforce_pp` and `ppo` at every
    token; see training.advantages. Its estimate is k1, whatever `kl_estimator` says of the loss."""

    @property
    def largest_beta(self) -> float:
        """Above 0 if any token pays for leaving the reference, in the loss or in the reward."""
        return max(self.beta, self.kl_in_reward, self.archer.knowledge.beta if self.archer else 0.0)

    @property
    def needs_every_group(self) -> str | None:
        """Why groups whose rewards are equal can't be left out; None where they move nothing."""
        if self.ppo or self.advantages_by in ("reinforce", "reinforce_pp"):
            name = "objective.ppo" if self.ppo else f"objective.advantages_by {self.advantages_by}"
            return f"under {name} something is learnt from a group of equal rewards, too"
        if self.kl_in_reward:
            return "with objective.kl_in_reward something is learnt from a group of equal rewards, too"
        if self.normalise_rewards or self.advantages_by == "reinforce_pp_baseline":
            name = "normalise_rewards" if self.normalise_rewards else f"advantages_by {self.advantages_by}"
            return f"objective.{name} asks for the whole batch at once, and this draws it in rounds"
        return None

    @field_validator("archer")
    @classmethod
    def _has_both_clips(cls, archer: ArcherSection | None, info: ValidationInfo) -> ArcherSection | None:
        # The released script leaves the upper clip of reasoning to the lower one's value, without a word.
        if archer is not None and info.data.get("epsilon_high") is None:
            raise ValueError("needs epsilon_high: the upper clip of reasoning is a choice of its own")
        return archer

    @field_validator("advantages_by")
    @classmethod
    def _not_beside_a_critic(cls, by: str, info: ValidationInfo) -> str:
        if by != "group" and info.data.get("ppo") is not None:
            raise ValueError("objective.ppo has advantages of its own: leave this out")
        return by

    @field_validator("delta")
    @classmethod
    def _above_the_upper_clip(cls, delta: float | None, info: ValidationInfo) -> float | None:
        high = info.data.get("epsilon_high") or info.data.get("epsilon", 0.0)
        if delta is not None and not delta > 1 + high:
            raise ValueError(f"must exceed 1 + epsilon_high = {1 + high:g}")
        return delta


class DeviationSection(_Section):
    """RL only: groups whose rewards differ too little have no signal either; see objectives.deviation_filter."""

    beta: float = Field(ge=0)
    decay: float = Field(ge=0, le=1)
    ignored: int = Field(ge=0)
    collected: int = Field(ge=1)


class RefillSection(_Section):
    """RL only: other prompts in place of those whose group has no signal; see training.refill and stats.draws."""

    rule: Literal["fixed", "window", "running_minimum"]
    """How many prompts a round draws."""
    window: int = Field(default=8, ge=1)
    """Rounds from which the rule of this name estimates."""
    max_prompts: int = Field(ge=1)
    """Of a step, all rounds together."""
    deviation: DeviationSection | None = None
    """What counts as a signal; null: rewards that differ at all."""


class RolloutSection(_Section):
    """RL only: how completions are sampled."""

    prompts_per_step: int = Field(ge=1)
    num_generations: int = Field(ge=2)
    temperature: float = Field(gt=0)
    top_p: float = Field(gt=0, le=1)
    top_k: int = Field(ge=0)
    max_completion_length: int = Field(ge=1)
    use_vllm: bool = False
    share_prefix: bool = True
    """Compute what the prompts of a batch have in common once, in rollouts, log-probs and gradients."""
    refill: RefillSection | None = None
    """Dynamic sampling; null: groups without a signal stay, and move nothing."""
    self_play: SelfPlaySection | None = None
    """Exercises that the model sets itself; null: the examples of the task."""


class TrainingSection(_Section):
    """Optimiser and schedule."""

    max_steps: int = Field(ge=1)
    learning_rate: float = Field(ge=0)
    lr_scheduler: Literal["linear", "cosine_with_min_lr", "constant_with_warmup"]
    min_lr_rate: float = Field(default=0.0, ge=0, le=1)
    """Last learning rate as a share of the first (cosine and linear)."""
    warmup_steps: int = Field(ge=0)
    adam_beta1: float = Field(ge=0, lt=1)
    adam_beta2: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(ge=0)
    batch_size: int = Field(ge=1)
    """Rows in one optimiser step (SFT), all processes together; RL derives it from the rollout."""
    sentences_per_row: int = Field(default=1, ge=1)
    """SFT: so many neighbouring sentences of one guideline share a row, in which the guideline is computed once."""
    group_by_length: bool = False
    """SFT: batches of like length."""
    micro_batch_size: int = Field(ge=1)
    """Rows in one forward pass on one device."""
    pack_tokens: int | None = Field(default=None, ge=1)
    """RL with shared prefixes: distinct tokens in one forward pass at most; null: those of the micro-batch."""
    bf16: bool
    gradient_checkpointing: bool
    logging_steps: int = Field(default=1, ge=1)
    save_steps: int = Field(default=0, ge=0)
    """0: only at the end (and on interruption)."""
    keep_checkpoints: int = Field(default=2, ge=1)
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; None leaves torch's choice."""


class EvaluationSection(_Section):
    """Accuracy during training, and after it."""

    splits: tuple[str, ...]
    limit: int = Field(ge=0)
    """Examples of each split in the probes during training."""
    every: int = Field(ge=0)
    """Steps between probes; 0: none."""
    choose_on: str | None = None
    """Split on which the model is chosen: of the start and every probed step the one with the best greedy accuracy on
    its first `limit` examples, the earlier one where two are equal. Only this split is then looked at in training.
    None: the last step's model is kept."""
    samples: int = Field(default=4, ge=0)
    final_limit: int | None = Field(default=None, ge=1)
    """Examples of each split in the scores after training; None: all."""
    temperature: float = Field(default=1.0, gt=0, le=100)
    max_new_tokens: int = Field(ge=1)


class Recipe(_Section):
    """One run."""

    name: str
    system: str
    paper: str
    needs: str
    method: Literal["rl", "sft"]
    seed: int = Field(ge=0, lt=2**32)
    warm_start: str | None = None
    """Recipe that is run first, with the same seed and data path; its model is where this one starts."""
    model: ModelSection
    data: DataSection
    prompt: PromptSection
    reward: RewardSection | None = None
    objective: ObjectiveSection | None = None
    rollout: RolloutSection | None = None
    training: TrainingSection
    evaluation: EvaluationSection

    def model_post_init(self, _context: object) -> None:
        rl = [self.reward, self.objective, self.rollout]
        if self.method == "rl" and None in rl:
            raise ValueError("method rl needs the sections reward, objective and rollout")
        if self.method == "sft" and (any(s is not None for s in rl) or self.data.target is None):
            raise ValueError("method sft needs data.target and has no reward, objective or rollout")
        if self.rollout and self.data.repeat is not None and self.data.repeat < self.rollout.prompts_per_step:
            needed = self.rollout.prompts_per_step
            raise ValueError(f"data.repeat: {self.data.repeat} rows don't fill a step of {needed} prompts")
        if self.objective and self.rollout and self.rollout.refill and (reason := self.objective.needs_every_group):
            raise ValueError(f"rollout.refill: {reason}")
        refuse_mixing(self)
        if None not in rl and (fault := self_play_fault(self.objective, self.rollout, self.reward)):
            raise ValueError(fault)
        e = self.evaluation
        if e.choose_on in ("test", "ood", self.data.train_split):
            raise ValueError(f"evaluation.choose_on: {e.choose_on}: a model is never chosen on training or test data")
        if e.choose_on is not None and not (e.every and e.limit):
            raise ValueError("evaluation.choose_on needs evaluation.every and evaluation.limit above 0")
