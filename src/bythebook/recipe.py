"""Recipes: one strict YAML a run. Unknown keys are errors; every default is written out into the run directory.

A recipe has one level of sections. Every field that a loss depends on is set in the file itself, with its source in a
comment, because the defaults of libraries move.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bythebook.errors import RecipeError

__all__ = [
    "DataSection",
    "EvaluationSection",
    "ModelSection",
    "ObjectiveSection",
    "PromptSection",
    "Recipe",
    "RewardSection",
    "RolloutSection",
    "TrainingSection",
    "dump_recipe",
    "load_recipe",
    "recipe_names",
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSection(_Section):
    """Which model, and in which precision."""

    path: str
    """A folder, a hub id, `embedded` (the model in the package) or `scratch` (built from `scratch`)."""
    revision: str | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"
    scratch: dict[str, Any] = Field(default_factory=dict)
    """Options of training.small_models for `path: scratch`."""


class DataSection(_Section):
    """Which task, and how its examples are drawn."""

    task: str
    path: str | None = None
    train_split: str = "train"
    options: dict[str, Any] = Field(default_factory=dict)
    """Passed to the task's `load`."""
    target: str | None = None
    """SFT only: which of the task's targets is imitated (`answer`, `careful`, `mixed`, …)."""


class PromptSection(_Section):
    """How prompts are written; see prompts.PromptStyle."""

    template: Literal["r1_re", "short"]
    rendering: Literal["full", "condensed", "rules", "brief"]


class RewardSection(_Section):
    """RL only: which reward, with its options."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class ObjectiveSection(_Section):
    """RL only: every field of TRL's loss."""

    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo"]
    beta: float = Field(ge=0)
    epsilon: float = Field(gt=0)
    epsilon_high: float | None
    delta: float | None
    importance_sampling_level: Literal["token", "sequence"]
    scale_rewards: Literal["group", "batch", "none"]
    num_iterations: int = Field(ge=1)
    mask_truncated_completions: bool
    top_entropy_quantile: float = Field(gt=0, le=1)
    entropy_coef: float
    use_bias_correction_kl: bool


class RolloutSection(_Section):
    """RL only: how completions are sampled."""

    prompts_per_step: int = Field(ge=1)
    num_generations: int = Field(ge=2)
    temperature: float = Field(gt=0)
    top_p: float = Field(gt=0, le=1)
    top_k: int = Field(ge=0)
    max_completion_length: int = Field(ge=1)
    use_vllm: bool = False


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
    seed: int
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


class _StrictLoader(yaml.SafeLoader):
    """YAML 1.2 reading of numbers such as 1e-6, and no key twice."""


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def _no_duplicates(loader: yaml.SafeLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is one word", key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _no_duplicates)


def recipe_names() -> tuple[str, ...]:
    """The recipes in the package, sorted."""
    files = resources.files("bythebook").joinpath("recipes").iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


def _read(name_or_path: str | Path) -> tuple[str, str]:
    """(text, what to call it in messages)"""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        try:
            return path.read_text(encoding="utf-8-sig"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"can't be read: {error}", file=path) from None
    name = str(name_or_path)
    if name not in recipe_names():
        raise RecipeError(
            f"no recipe {name!r} in the package", remedy=f"give a .yaml file or one of: {', '.join(recipe_names())}"
        )
    return resources.files("bythebook").joinpath(f"recipes/{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml"


def _override(tree: dict[str, Any], setting: str) -> None:
    dotted, equals, raw = setting.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise RecipeError(f"not an override: {setting!r}", remedy="write section.key=value")
    node = tree
    for key in keys[:-1]:
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise RecipeError(f"{setting!r}: {key!r} is a value, not a section")
        node = child
    try:
        node[keys[-1]] = yaml.load(raw, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        raise RecipeError(f"{setting!r}: the value is not YAML") from None


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe of the package by name, or a YAML file, with `section.key=value` overrides. RecipeError if wrong."""
    text, called = _read(name_or_path)
    try:
        tree = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not YAML"
        raise RecipeError(problem, file=called, line=mark.line + 1 if mark else None) from None
    if not isinstance(tree, dict):
        raise RecipeError("a recipe is a mapping of sections", file=called)
    for setting in overrides:
        _override(tree, setting)
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        # A misspelt key is one too many and one too few: the first is what the user wrote.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"])
        line = _line_of(text, [str(part) for part in first["loc"]])
        message = f"{key}: {first['msg']}" if key else first["msg"].removeprefix("Value error, ")
        raise RecipeError(message, file=called, line=line, remedy="`bythebook recipes` lists examples") from None


def _line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line on which the innermost of `keys` that is present stands."""
    line, start = None, 0
    lines = text.splitlines()
    for depth, key in enumerate(keys):
        pattern = re.compile(rf"{' ' * 2 * depth}{re.escape(key)}\s*:")
        found = next((i for i in range(start, len(lines)) if pattern.match(lines[i])), None)
        if found is None:
            break
        line, start = found + 1, found + 1
    return line


def dump_recipe(recipe: Recipe) -> str:
    """The resolved recipe, every default written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
