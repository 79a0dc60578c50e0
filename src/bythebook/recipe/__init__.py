"""Recipes: one strict YAML a run. Unknown keys are errors; every default is written out into the run directory.

A recipe has one level of sections. Every field that a loss depends on is set in the file itself, with its source in a
comment, because the defaults of libraries move.
"""

from bythebook.recipe.domains import domain_names
from bythebook.recipe.reading import dump_recipe, launch_config, load_recipe, recipe_names
from bythebook.recipe.sections import (
    ArcherSection,
    DataSection,
    DeviationSection,
    EvaluationSection,
    KnowledgeSection,
    LoraSection,
    ModelSection,
    MoreData,
    ObjectiveSection,
    OverlongSection,
    PPOSection,
    PromptSection,
    Recipe,
    RefillSection,
    RewardSection,
    RolloutSection,
    SelfPlaySection,
    Tags,
    TrainingSection,
)

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
    "domain_names",
    "dump_recipe",
    "launch_config",
    "load_recipe",
    "recipe_names",
]
