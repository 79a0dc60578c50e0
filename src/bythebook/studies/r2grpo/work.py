"""One arm of one seed: trained, asked, its rollouts measured. Runs in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bythebook.evaluation import evaluate_examples
from bythebook.generation import Model, Sampling, load_model, settings_of
from bythebook.generation.loading import local_path
from bythebook.generation.settings import ModelSettings
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import Record, read_records, write_jsonl, write_text
from bythebook.studies.r2grpo.arms import ARMS, START, Arm
from bythebook.studies.r2grpo.curves import curve_of
from bythebook.studies.r2grpo.size import SCRATCH, StudySize
from bythebook.tasks import task_named
from bythebook.training import train
from bythebook.types import Example

__all__ = ["is_done", "kept_by_rejection", "recipe_of", "run_arm", "sets_of"]

_BATCH = 256
_FRESH_SHARE = 0.7
"""Of the sentences from which a start model is made, as the embedded model's: the rest is of the trained domains."""


def sets_of(size: StudySize, seed: int) -> dict[str, list[Example]]:
    """The test sentences of a seed, the same for all arms: `id`, and `ood` under guidelines that no training shows."""
    return task_named("world_joint").read(None, seed=seed, id=size.in_domain, ood=size.out_of_domain)


def is_done(run: Path, arm: str) -> bool:
    """Whether the arm has been trained and asked everything in this folder."""
    return (run / "records" / f"{arm}.ood.jsonl").exists()


def model_of(run: Path, arm: str, size: StudySize) -> str:
    """Where the model of an arm lies."""
    if arm == START and size.model != SCRATCH:
        return size.model
    note = run / "arms" / arm / "untrained.json"
    if note.exists():
        return str(json.loads(note.read_text(encoding="utf-8"))["model"])
    return str(run / "arms" / arm / "model")


def run_arm(name: str, run: str, seed: int, size: StudySize) -> str:
    """Train one arm and write its records into `run`; what a former, interrupted attempt made is kept. Returns its
    name."""
    arm, folder = ARMS[name], Path(run)
    recipe = recipe_of(arm, folder, seed, size)
    if recipe is not None and not (folder / "arms" / name / "untrained.json").exists():
        train(recipe, output=folder / "arms" / name, resume=True, quiet=True)
    model = load_model(model_of(folder, name, size))
    if arm.rl and recipe is not None:
        rows = read_records(folder / "arms" / name / "records" / "rollouts.jsonl")
        write_jsonl(folder / "curves" / f"{name}.jsonl", curve_of(rows, _training_sentences(recipe), model))
    sets = sets_of(size, seed)
    sampling = Sampling(temperature=1.0, max_new_tokens=size.max_new_tokens, seed=seed, batch_size=_BATCH)
    if arm.group == "compared":
        for temperature in size.temperatures:
            other = sampling.model_copy(update={"temperature": temperature})
            records = _samples(model, sets["ood"][: size.drawn], size.few, other)
            write_jsonl(folder / "records" / f"{name}.ood_t{temperature:g}.jsonl", records)
    number = size.samples if arm.group == "compared" else size.few
    # The out-of-domain file comes last: it marks the arm as done.
    for split in ("id", "ood"):
        greedy = evaluate_examples(model, sets[split], style=model.settings.style, sampling=sampling, samples=0)
        records = [*greedy, *_samples(model, sets[split][: size.drawn], number, sampling)]
        write_jsonl(folder / "records" / f"{name}.{split}.jsonl", records)
    return name


def _samples(model: Model, examples: Sequence[Example], number: int, sampling: Sampling) -> list[Record]:
    return evaluate_examples(
        model, examples, style=model.settings.style, sampling=sampling, greedy=False, samples=number
    )


def recipe_of(arm: Arm, run: Path, seed: int, size: StudySize) -> Recipe | None:
    """The recipe of an arm in the sizes of the study; None where nothing is trained. For RFT the start model is
    sampled first; where nothing it writes is right, there is nothing to train, which `untrained.json` notes."""
    if arm.name == START:
        return _start_recipe(seed, size) if size.model == SCRATCH else None
    before = model_of(run, str(arm.after), size)
    start = settings_of(path) if (path := local_path(before)) else ModelSettings()
    settings = [
        *_common(seed, size),
        f"model.path={json.dumps(before)}",
        f"prompt.template={start.template}",
        f"prompt.rendering={start.rendering}",
        f"data.options.train={size.train}",
        *([f"prompt.tags={start.tags}"] if arm.own_tags else []),
        *(_rl(size) if arm.rl else [f"training.max_steps={size.sft_steps}"]),
        *arm.overrides,
    ]
    if arm.name == "mimic":
        settings += [
            f"training.max_steps={size.mimic_steps + size.sft_steps}",
            f"data.also.0.steps={size.mimic_steps}",
        ]
    recipe = load_recipe(str(arm.recipe), settings).model_copy(update={"warm_start": None})
    return _rejection_sampled(recipe, run, before, seed, size) if arm.name == "rft" else recipe


def _common(seed: int, size: StudySize) -> list[str]:
    return [
        f"seed={seed}",
        f"data.options.seed={seed}",
        "data.options.id=0",
        "data.options.ood=0",
        "evaluation.every=0",
        f"evaluation.max_new_tokens={size.max_new_tokens}",
    ]


def _rl(size: StudySize) -> list[str]:
    rollouts = size.prompts_per_step * size.num_generations
    return [
        f"training.max_steps={size.rl_steps}",
        f"rollout.prompts_per_step={size.prompts_per_step}",
        f"rollout.num_generations={size.num_generations}",
        f"rollout.max_completion_length={size.max_new_tokens}",
        f"training.batch_size={rollouts}",
        f"training.micro_batch_size={rollouts}",
    ]


def _start_recipe(seed: int, size: StudySize) -> Recipe:
    settings = [
        *_common(seed, size),
        f"data.options.train={size.start_train}",
        f"data.options.fresh_share={_FRESH_SHARE}",
        "data.target=mixed",
        "prompt.tags=think",
        f"training.max_steps={size.start_steps}",
        "training.learning_rate=1e-3",
    ]
    return load_recipe("scier_sft_tiny", settings)


def _training_sentences(recipe: Recipe) -> list[Example]:
    return task_named(recipe.data.task).read(None, **recipe.data.options)[recipe.data.train_split]


# ------------------------------------------------------------------------------------------- rejection sampling


def kept_by_rejection(records: Sequence[Record], most: int) -> list[Record]:
    """Well-formed completions whose relations are all right, arguments' types included (REL+), and of which no other
    is missing: at most `most` different ones of a sentence, those sampled first."""
    kept: dict[str, dict[str | None, Record]] = {}
    for record in records:
        _, invented, missed = (record.counts or {}).get("rel_plus", (0, 1, 0))
        mine = kept.setdefault(record.id, {})
        if record.well_formed and invented == missed == 0 and len(mine) < most:
            mine.setdefault(record.completion, record)
    return [record for mine in kept.values() for record in mine.values()]


def _rejection_sampled(recipe: Recipe, run: Path, before: str, seed: int, size: StudySize) -> Recipe | None:
    file, output = run / "rft" / "kept.jsonl", run / "arms" / "rft"
    if not file.exists():
        sentences, model = _training_sentences(recipe), load_model(before)
        sampling = Sampling(temperature=1.0, max_new_tokens=size.max_new_tokens, seed=seed, batch_size=_BATCH)
        drawn = _samples(model, sentences, size.rft_samples, sampling)
        kept = kept_by_rejection(drawn, size.rft_keep)
        counts: Mapping[str, int] = {
            "sampled": len(drawn),
            "kept": len(kept),
            "sentences": len({r.id for r in kept}),
            "of": len(sentences),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(run / "rft" / "summary.json", json.dumps(counts) + "\n")
        if not kept:
            output.mkdir(parents=True, exist_ok=True)
            write_text(output / "untrained.json", json.dumps({"model": before}) + "\n")
        write_jsonl(file, kept)
    if (output / "untrained.json").exists():
        return None
    data = recipe.data.model_copy(update={"target": str(file)})
    return recipe.model_copy(update={"data": data})
