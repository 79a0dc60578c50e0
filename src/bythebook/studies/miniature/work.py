"""One arm of one seed: trained, and asked the same sentences as the others. Runs in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bythebook.evaluation import evaluate_examples
from bythebook.generation import Sampling, load_model
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import Record, read_records, write_jsonl, write_text
from bythebook.studies.miniature.arms import SPLITS, Arm, Miniature, Questions, Size
from bythebook.studies.miniature.systems import MINIATURES
from bythebook.studies.one_shot.history import history_of
from bythebook.studies.one_shot.selection import Ranked, ranked
from bythebook.tasks import task_named
from bythebook.training import train

__all__ = ["FEW", "is_done", "makes_its_own", "noted", "recipe_of", "run_arm", "sentences_of"]

FEW = "few.json"
"""In the folder of an arm: the sentences that it is trained on, where these are a few."""
SCRATCH = "scratch"
"""Where a recipe names no model but its sizes."""

_BATCH = 256


def is_done(run: Path, arm: str) -> bool:
    """Whether the arm has been trained and asked everything in this folder."""
    return (run / "records" / f"{arm}.{list(SPLITS)[-1]}.jsonl").exists()


def makes_its_own(arm: Arm) -> bool:
    """Whether the arm trains a model from scratch, whatever the study's model is."""
    return arm.recipe is not None and load_recipe(arm.recipe).model.path == SCRATCH


def recipe_of(
    arm: Arm,
    seed: int,
    size: Size,
    only: Sequence[str] = (),
    *,
    begin: Path | None = None,
    questions: Questions | None = None,
) -> Recipe | None:
    """The recipe of an arm in the size of the study, with the ids of its sentences where these are a few, and the model
    it begins with where that is another arm's; None where nothing is trained."""
    if arm.recipe is None:
        return None
    tests, start = questions or Questions(), SCRATCH if makes_its_own(arm) else size.model
    settings = [
        f"model.path={json.dumps(str(begin)) if begin else start}",
        f"seed={seed}",
        f"data.options.seed={seed + arm.data_seed}",
        f"data.options.{tests.in_domain}=0",
        f"data.options.{tests.beyond}=0",
        f"training.max_steps={arm.max_steps(size)}",
        "evaluation.every=0",
        "training.threads=1",
    ]
    settings += ["warm_start=null"] if begin else []
    settings += _short(arm.recipe) if size.most_steps is not None else []
    settings += [f"data.only={json.dumps(list(only))}"] if only else []
    return load_recipe(arm.recipe, [*settings, *arm.overrides])


def _short(recipe: str) -> list[str]:
    """One step of each stage, and metrics of every step, where a study is too short for those of the recipe."""
    whole = load_recipe(recipe)
    stages = [(f"data.also.{i}", more) for i, more in enumerate(whole.data.also) if more.steps]
    few = [f"{stage}.options.train={whole.training.batch_size}" for stage, m in stages if "train" in m.options]
    return [*(f"{stage}.steps=1" for stage, _ in stages), *few, "training.logging_steps=1"]


def sentences_of(arm: Arm, run: Path) -> list[Ranked]:
    """The sentences of the arm's ranks; the last one for a rank beyond. Empty where it is trained on all."""
    if arm.after is None or not arm.ranks:
        return []
    found = ranked(history_of(read_records(run / "arms" / arm.after / "records" / "rollouts.jsonl")))
    return [found[min(rank, len(found)) - 1] for rank in arm.ranks]


def run_arm(system: str, name: str, run: str, seed: int, size: Size) -> str:
    """Train one arm and write its records into `run`; what a former, interrupted attempt made is kept. Returns its
    name."""
    miniature, folder = MINIATURES[system], Path(run)
    arm, output = miniature.arm(name), folder / "arms" / name
    few = sentences_of(arm, folder)
    begin = folder / "arms" / arm.begins_with / "model" if arm.begins_with else None
    questions = miniature.questions
    recipe = recipe_of(arm, seed, size, [row.id for row in few], begin=begin, questions=questions)
    untrained = begin or size.model
    model = load_model(untrained if recipe is None else train(recipe, output=output, resume=True, quiet=True))
    if few:
        write_text(output / FEW, json.dumps([row._asdict() for row in few]) + "\n")
    asked = {**questions.options, **arm.asked, **questions.sizes(size)}
    sets = task_named(questions.task).read(None, seed=seed + miniature.test_seed, **asked)
    sets = {"id": sets[questions.in_domain], "ood": sets[questions.beyond]}
    most, k = questions.max_new_tokens, questions.drawn(size)
    sampling = Sampling(temperature=1.0, max_new_tokens=most, n=max(1, k), seed=seed, batch_size=_BATCH)
    style = model.settings.style.model_copy(update=dict(arm.prompt))
    # The last file marks the arm as done.
    for split in SPLITS:
        records = evaluate_examples(model, sets[split], style=style, sampling=sampling, samples=k)
        write_jsonl(folder / "records" / f"{name}.{split}.jsonl", noted(miniature, records))
    return name


def noted(miniature: Miniature, records: Sequence[Record]) -> list[Record]:
    """The records with what the miniature notes of each among their tags."""
    if miniature.notes is None:
        return list(records)
    return [r.model_copy(update={"tags": {**r.tags, **miniature.notes(r)}}) for r in records]
