"""A recipe from end to end: warm start if it names one, training, scores before and after, baselines where the task
has them, the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.evaluation import evaluate_examples, scores
from bythebook.generation import Sampling, load_model
from bythebook.guidelines import keep_guidelines
from bythebook.metrics import semeval2010 as official
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import Record, write_jsonl, write_text
from bythebook.report import write_report
from bythebook.studies.semeval_baselines import predict_baselines
from bythebook.tasks import Task, task_named
from bythebook.tasks.semeval2010 import answer_number, gold_answers
from bythebook.training import train
from bythebook.training.processes import is_first
from bythebook.training.resume import finished_model
from bythebook.types import Example

__all__ = ["run_recipe"]


def run_recipe(
    recipe: Recipe,
    output: Path,
    *,
    resume: bool = False,
    quiet: bool = False,
    warm_overrides: Sequence[str] = (),
) -> dict[str, Any]:
    """Run it into `output`. Returns `{"model", "report", "scores": {model: {split: …}}}`, the scores also in
    `scores.json`; where the model was chosen on a split, `chosen` says which step it is (as in `chosen.json`, and
    `chosen_step` in the tags of its records), and every other split is scored for that model only.

    `models` are `start` (after the warm start, or as given; absent for a model from scratch) and `trained`. For
    SemEval-2010 on its official split the official scores stand beside, with majority and bag-of-words baselines.
    `warm_overrides` are `section.key=value` settings of the warm start. Of several processes the first one scores; the
    others return nothing.
    """
    started = output / "warm_start"
    if recipe.warm_start and not finished_model(started):
        train(_warm_start(recipe, warm_overrides), output=started, resume=resume, quiet=quiet)
    if recipe.warm_start:
        recipe = recipe.model_copy(update={"model": recipe.model.model_copy(update={"path": str(started / "model")})})
    folder = train(recipe, output=output, resume=resume, quiet=quiet)
    if not is_first():
        return {}  # of several processes one scores
    task = task_named(recipe.data.task)
    splits = task.read(recipe.data.path, **recipe.data.options)
    models = {"trained": str(folder)}
    if recipe.model.path != "scratch":
        models = {"start": recipe.model.path, **models}
    chosen = _chosen(recipe, output)
    found = {
        name: {
            split: _score(path, name, recipe, task, split, splits, output, chosen.get("step") if trained else None)
            for split in recipe.evaluation.splits
            if split in splits and (trained or recipe.evaluation.choose_on in (None, split))
        }
        for name, path in models.items()
        for trained in [name == "trained"]
    }
    if _is_official(recipe):
        found |= _baselines(splits["train"], splits["test"], output)
    write_text(output / "scores.json", json.dumps(found, indent=2) + "\n")
    made = {"model": str(folder), "report": str(write_report(output)), "scores": found}
    return made | ({"chosen": chosen} if chosen else {})


def _chosen(recipe: Recipe, output: Path) -> dict[str, Any]:
    """Which step's model was kept, on what grounds; empty where the recipe keeps the last one."""
    if recipe.evaluation.choose_on is None:
        return {}
    found: dict[str, Any] = json.loads((output / "chosen.json").read_text(encoding="utf-8"))
    return found


def _warm_start(recipe: Recipe, overrides: Sequence[str]) -> Recipe:
    settings = [f"seed={recipe.seed}", *overrides]
    if recipe.data.path is not None:
        settings.append(f"data.path={json.dumps(recipe.data.path)}")
    return load_recipe(str(recipe.warm_start), settings)


def _is_official(recipe: Recipe) -> bool:
    return recipe.data.task == "semeval2010" and recipe.data.options.get("split", "official") == "official"


def _score(
    path: str,
    name: str,
    recipe: Recipe,
    task: Task,
    split: str,
    splits: dict[str, list[Example]],
    output: Path,
    step: int | None,
) -> dict[str, Any]:
    e = recipe.evaluation
    model = load_model(path, pictures=any(e.picture for e in splits[split]))
    sampling = Sampling(
        temperature=e.temperature,
        max_new_tokens=e.max_new_tokens,
        n=max(1, e.samples),
        seed=recipe.seed,
        batch_size=256,
    )
    records = evaluate_examples(
        model,
        splits[split][: e.final_limit],
        style=model.settings.style,
        sampling=sampling,
        samples=e.samples,
        keep_text=not task.licensed,
    )
    if step is not None:
        records = [r.model_copy(update={"tags": {**r.tags, "chosen_step": str(step)}}) for r in records]
    write_jsonl(output / "records" / f"{name}.{split}.jsonl", records)
    keep_guidelines(output, (x.guideline for x in splits[split][: e.final_limit]))
    found = scores(records)
    if _is_official(recipe) and split == "test":
        asked = splits[split][: e.final_limit]
        found["official"] = _official(official.score(gold_answers(asked), _answers(records)))
    return found


def _baselines(train_set: list[Example], test: list[Example], output: Path) -> dict[str, Any]:
    """Records of the baselines, as `<name>.test.jsonl`, and their official scores."""
    found: dict[str, Any] = {}
    gold = gold_answers(test)
    for name, answers in predict_baselines(train_set, test).items():
        records = [
            Record(
                schema="bythebook.prediction/1",
                id=e.id,
                domain=e.domain,
                sample=-1,
                gold=gold[answer_number(e.id)],
                answer=answers[answer_number(e.id)],
                correct=gold[answer_number(e.id)] == answers[answer_number(e.id)],
                well_formed=True,
                status="ok" if gold[answer_number(e.id)] == answers[answer_number(e.id)] else "wrong",
            )
            for e in test
        ]
        write_jsonl(output / "records" / f"{name.replace(' ', '_')}.test.jsonl", records)
        found[name] = {"test": {"official": _official(official.score(gold, answers))}}
    return found


def _answers(records: list[Record]) -> dict[int, str]:
    """Greedy answers as the official scorer reads them; what is no label of the task counts as skipped."""
    return {
        answer_number(r.id): r.answer for r in records if r.sample == -1 and r.answer and r.answer in official.LABELS
    }


def _official(found: official.Scores) -> dict[str, Any]:
    """Macro-F1 of the official variant, with the other two beside it."""
    protocols = official.to_json(found)["protocols"]
    return {name: values["f1"] for name, values in protocols.items()}
