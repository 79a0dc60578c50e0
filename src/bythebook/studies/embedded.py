"""How the embedded model is made, from the world alone:

    python -m bythebook.studies.embedded --output runs/embedded

1. careful annotators are imitated, under new guidelines and the six trained domains: the model learns to look up;
2. annotators as they are (36 % careful, 44 % hasty, 20 % guessing) are imitated: it can read and often doesn't;
3. both are tried on never-seen guidelines, and the second is the embedded model, `<output>/mixed/model`.

Seeds are fixed; the run directories keep recipes, environment, metrics and records; `training.json` has the scores and
the log of both stages.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.evaluation import evaluate_examples, scores
from bythebook.generation import Sampling, load_model
from bythebook.recipe import load_recipe
from bythebook.records import read_jsonl, write_jsonl
from bythebook.tasks import world
from bythebook.training import train

__all__ = ["make_embedded"]

_TEST_SEED = 31_337
_SENTENCES = 512


def make_embedded(output: Path, *, seed: int = 0, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Both stages and their test; stages already finished in `output` are kept. Returns the scores of both."""
    stages = {
        "careful": ("embedded_careful", []),
        "mixed": ("embedded_mixed", [f"model.path={output / 'careful' / 'model'}"]),
    }
    found: dict[str, Any] = {}
    for stage, (recipe, settings) in stages.items():
        folder = output / stage / "model"
        if not (folder / "config.json").exists():
            train(load_recipe(recipe, [f"seed={seed}", *settings, *overrides]), output=output / stage)
        found[stage] = _try(folder, output / stage)
    logs = {stage: [row for _, row in read_jsonl(output / stage / "metrics.jsonl")] for stage in stages}
    kept = {"scores": found, "recipes": {s: r for s, (r, _) in stages.items()}, "seed": seed, "metrics": logs}
    (output / "training.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return found


def _try(folder: Path, run: Path) -> dict[str, Any]:
    model = load_model(folder)
    sampling = Sampling(temperature=1.0, max_new_tokens=32, n=4, seed=0, batch_size=256)
    sets = world.load(seed=_TEST_SEED, k=4, id=_SENTENCES // 2, ood=_SENTENCES)
    found = {}
    for split, examples in sets.items():
        records = evaluate_examples(model, examples, style=model.settings.style, sampling=sampling, samples=4)
        write_jsonl(run / "records" / f"{split}.jsonl", records)
        found[split] = scores(records)
    return found


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="Make the embedded model from the world alone.")
    parser.add_argument("--output", type=Path, default=Path("runs/embedded"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("overrides", nargs="*", help="section.key=value, for both stages")
    given = parser.parse_args()
    found = make_embedded(given.output, seed=given.seed, overrides=given.overrides)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
