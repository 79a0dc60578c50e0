"""One mixture with one seed: trained, and asked the tests. Runs in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.evaluation import evaluate_examples
from bythebook.generation import Model, Sampling, load_model
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import read_jsonl, write_text
from bythebook.studies.mixture.arms import DOMAINS, TESTS, Mixed, Size, Test
from bythebook.tasks import task_named
from bythebook.training import train

__all__ = [
    "CONFIRM",
    "MIXTURES",
    "SEARCH",
    "START_FOLDER",
    "is_done",
    "make_start",
    "questions_seed",
    "recipe_of",
    "row_file",
    "run_mixture",
]

SEARCH, CONFIRM, START_FOLDER = "search", "confirm", "start"
"""Folders of the first round, of the second, and of the model that both start from."""
MIXTURES = "mixtures"
"""The key in `size.json` of a seed's folder that holds all mixtures of the round, as JSON."""
_LATER = 1000
"""Seeds of the second round begin here, so that nothing was chosen on them."""
_TESTED = {SEARCH: 7000, CONFIRM: 8000}
"""Seeds of the tests begin here."""
_MAX_NEW_TOKENS, _BATCH = 32, 256
_WATCHED = ("share", "reward", "accuracy")


def row_file(folder: Path, name: str) -> Path:
    """Where the result of a mixture is, in the folder of its seed."""
    return folder / "runs" / f"{_slug(name)}.json"


def questions_seed(round_: str, test: str) -> int:
    """Of the questions of a test: the same for all runs of a round, other ones in each round and test."""
    return _TESTED[round_] + list(TESTS).index(test)


def is_done(folder: Path, name: str) -> bool:
    """Whether the mixture has been trained on and tested with this seed."""
    return row_file(folder, name).exists()


def make_start(name: str, run: str, seed: int, size: Size) -> str:
    """The model that every mixture starts from, into `<run>/<name>`. Returns its name."""
    few = [] if size.start_steps is None else [f"training.max_steps={size.start_steps}", "data.also.0.steps=1"]
    recipe = load_recipe("modomodo_start_tiny", [f"seed={seed}", "evaluation.every=0", *few])
    train(recipe, output=Path(run) / name, resume=True, quiet=True)
    return name


def recipe_of(mixed: Mixed, seed: int, size: Size, start: str) -> Recipe:
    """The recipe of a run; its seed decides the training examples, which are drawn of them, and every rollout."""
    settings = [
        "warm_start=null",
        f"model.path={json.dumps(start)}",
        f"seed={seed}",
        f"data.mixture={json.dumps(dict(mixed.weights))}",
        "data.options.id=0",
        "data.options.ood=0",
        f"data.options.seed={seed * len(DOMAINS)}",
        *(f"data.also.{i - 1}.options.seed={seed * len(DOMAINS) + i}" for i in range(1, len(DOMAINS))),
        f"training.max_steps={size.steps}",
        "evaluation.every=0",
    ]
    return load_recipe("modomodo_tiny", settings)


def run_mixture(name: str, run: str, seed: int, size: Size) -> str:
    """Train on a mixture of the round and write its row into `run`; what a former, interrupted attempt trained is kept.
    Returns its name."""
    folder = Path(run)
    of = json.loads(folder.joinpath("size.json").read_text(encoding="utf-8"))
    mixed, round_ = Mixed(*json.loads(of[MIXTURES])[name]), folder.parent.name
    start = size.model or str(folder.parents[1] / START_FOLDER / "seed0" / START_FOLDER / "model")
    own = seed + (_LATER if round_ == CONFIRM else 0)
    output, trained = folder / "arms" / _slug(name), start
    if mixed.weights:
        trained = str(train(recipe_of(mixed, own, size, start), output=output, resume=True, quiet=True))
    model = load_model(trained)
    scores = {test: _score(model, TESTS[test], questions_seed(round_, test), own, size) for test in TESTS}
    row = {
        "name": name,
        "weights": dict(mixed.weights),
        "scores": scores,
        "items": {test: _asked(TESTS[test], size) for test in TESTS},
        "seed": own,
        **({"method": mixed.method} if mixed.method else {}),
    }
    training = _training(output / "metrics.jsonl") if mixed.weights else {}
    row_file(folder, name).parent.mkdir(exist_ok=True)
    write_text(row_file(folder, name), json.dumps({"row": row, "training": training}) + "\n")
    return name


def _slug(name: str) -> str:
    return name.replace(",", "").replace(" ", "_")


def _asked(test: Test, size: Size) -> int:
    return max(1, size.questions // 2) if test.inside else size.questions


def _score(model: Model, test: Test, drawn: int, seed: int, size: Size) -> float:
    """Avg@K of the samples, fraction."""
    options = {**test.options, test.split: _asked(test, size)}
    examples = task_named(test.task).read(None, seed=drawn, **options)[test.split]
    sampling = Sampling(temperature=1.0, max_new_tokens=_MAX_NEW_TOKENS, n=size.samples, seed=seed, batch_size=_BATCH)
    style = model.settings.style
    records = evaluate_examples(model, examples, style=style, sampling=sampling, samples=size.samples, greedy=False)
    return stats.mean(float(bool(r.correct)) for r in records) or 0.0


def _training(metrics: Path) -> dict[str, dict[str, Any]]:
    """Of each domain that was drawn: its share of the rollouts, and reward and accuracy in the first and the last
    quarter of the steps."""
    rows = [row for _, row in read_jsonl(metrics) if "loss" in row]
    quarter = max(1, len(rows) // 4)
    found: dict[str, dict[str, Any]] = {}
    for domain in DOMAINS:
        of = {what: [row.get(f"domain/{domain}/{what}") for row in rows] for what in _WATCHED}
        if any(value is not None for value in of["share"]):
            ends = {
                f"{what}_{end}": stats.mean(v for v in part if v is not None)
                for what in _WATCHED[1:]
                for end, part in (("first", of[what][:quarter]), ("last", of[what][-quarter:]))
            }
            found[domain] = {"share": sum(v or 0.0 for v in of["share"]) / len(rows), **ends}
    return found
