"""One arm of one seed: trained, and asked the same exercises as the others. Runs in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bythebook.generation import Model, Sampling, load_model
from bythebook.prompts import render
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import Record, write_jsonl
from bythebook.sandbox import Sandbox
from bythebook.studies.absolute_zero.arms import ARMS, START, PlaySize
from bythebook.studies.miniature.arms import Arm
from bythebook.tasks import task_named
from bythebook.tasks.self_play.solutions import Solution, solutions_checked
from bythebook.tasks.world.programs import problem_of
from bythebook.training import train
from bythebook.types import Completion, Example, Status

__all__ = ["ASKED", "is_done", "recipe_of", "run_arm", "solved"]

ASKED = ("id", "ood")
_TEST_SEED, _MAX_NEW_TOKENS, _BATCH = 900, 48, 512


def is_done(run: Path, name: str) -> bool:
    """Whether the arm has been trained and asked everything in this folder."""
    return (run / "records" / f"{name}.{ASKED[-1]}.jsonl").exists()


def recipe_of(arm: Arm, seed: int, size: PlaySize, run: Path) -> Recipe:
    """The recipe of an arm in the size of the study."""
    settings = [f"seed={seed}", "training.threads=1"]
    if arm.name == START:
        whole = load_recipe(str(arm.recipe))
        rows, most = whole.training.batch_size, int(whole.data.also[0].options["train"])
        settings += [f"training.max_steps={size.careful_steps + size.start_steps}"]
        settings += [f"data.options.train={rows * size.start_steps}", f"data.options.seed={5000 + seed}"]
        settings += [f"data.also.0.steps={size.careful_steps}", f"data.also.0.options.seed={6000 + seed}"]
        settings += [f"data.also.0.options.train={min(most, rows * size.careful_steps)}"]
    else:
        settings += [f"model.path={json.dumps(str(run / 'arms' / START / 'model'))}", "warm_start=null"]
        settings += [f"training.max_steps={size.steps}"]
    return load_recipe(str(arm.recipe), [*settings, *arm.overrides])


def run_arm(name: str, run: str, seed: int, size: PlaySize) -> str:
    """Train one arm and write its records into `run`; what a former, interrupted attempt made is kept. Returns its
    name."""
    folder = Path(run)
    recipe = recipe_of({arm.name: arm for arm in ARMS}[name], seed, size, folder)
    model = load_model(train(recipe, output=folder / "arms" / name, resume=True, quiet=True), device="cpu")
    sets = task_named("world_programs").read(
        None, seed=_TEST_SEED + seed, longest=2, id=size.questions, ood=max(3, size.questions // 2)
    )
    # The last file marks the arm as done.
    with Sandbox(lanes=1) as sandbox:
        for split in ASKED:
            records = solved(model, sets[split], sandbox, samples=size.samples, seed=seed)
            write_jsonl(folder / "records" / f"{name}.{split}.jsonl", records)
    return name


def solved(model: Model, examples: Sequence[Example], sandbox: Sandbox, *, samples: int, seed: int) -> list[Record]:
    """Every exercise answered greedily, sample -1, and `samples` times at temperature 1; the sandbox judges."""
    drawn = Sampling(temperature=1.0, max_new_tokens=_MAX_NEW_TOKENS, n=samples, seed=seed, batch_size=_BATCH)
    prompts = [render(e, model.settings.style) for e in examples]
    records = []
    for sampling, first in ((drawn.as_greedy(), -1), (drawn, 0)):
        answers = model.generate(prompts, sampling)
        rows = [(e, c, n) for e, completions in zip(examples, answers, strict=True) for n, c in enumerate(completions)]
        checked = _checked([(e, c) for e, c, _ in rows], sandbox, prefilled=model.prefilled)
        records += [_record(e, c, s, first + n) for (e, c, n), s in zip(rows, checked, strict=True)]
    return records


def _checked(answered: Sequence[tuple[Example, Completion]], sandbox: Sandbox, *, prefilled: bool) -> list[Solution]:
    found: dict[int, Solution] = {}
    for kind in ("deduction", "abduction", "induction"):
        own = [i for i, (e, _) in enumerate(answered) if e.domain == kind]
        problems = [problem_of(answered[i][0]) for i in own]
        texts = [answered[i][1].text for i in own]
        found |= dict(zip(own, solutions_checked(problems, texts, kind, sandbox, prefilled=prefilled), strict=True))
    return [found[i] for i in range(len(answered))]


def _record(example: Example, completion: Completion, solution: Solution, sample: int) -> Record:
    status: Status = "malformed" if not solution.well_formed else "ok" if solution.right else "wrong"
    return Record(
        schema="bythebook.prediction/1",
        id=example.id,
        domain=example.domain,
        sample=sample,
        correct=solution.right,
        well_formed=solution.well_formed,
        status=status,
        completion=completion.text,
        finish_reason=completion.finish_reason,
        tokens=completion.tokens,
        tags={"guideline_id": example.id, "length": example.meta["length"]},
    )
