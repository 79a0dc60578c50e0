"""Answer-only SFT at several learning rates and budgets, so that RL is compared with its best:

python -m bythebook.studies.sft_sweep --output runs/sweep --seeds 3
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bythebook.evaluation import evaluate_examples
from bythebook.generation import Sampling, load_model, settings_of
from bythebook.recipe import load_recipe
from bythebook.records import write_jsonl
from bythebook.studies.demo_arms import DemoSize, test_sets
from bythebook.training import train

__all__ = ["BUDGETS", "LEARNING_RATES", "sweep"]

LEARNING_RATES = (2e-5, 1e-4, 2e-4, 5e-4)
BUDGETS = (40, 160)
"""Steps of 16 sentences: one and a half and six passes over the sentences of the RL run."""


def sweep(
    output: Path, seed: int, *, rates: Sequence[float] = LEARNING_RATES, budgets: Sequence[int] = BUDGETS
) -> None:
    """Greedy records `<output>/records/sft_<rate>_<steps>.<id|ood>.jsonl`; what is there already is kept."""
    sets = test_sets(DemoSize(), seed)
    sampling = Sampling(temperature=0.0, max_new_tokens=32, n=1, batch_size=256)
    for rate in rates:
        files = {(b, s): output / "records" / f"sft_{rate:g}_{b}.{s}.jsonl" for b in budgets for s in ("id", "ood")}
        if all(file.exists() for file in files.values()):
            continue
        run = output / f"sft_{rate:g}"
        if not (run / "model" / "config.json").exists():
            settings = [
                f"seed={seed}",
                f"data.options.seed={seed}",
                f"training.learning_rate={rate}",
                f"training.max_steps={max(budgets)}",
                f"training.save_steps={budgets[0]}",
                f"training.keep_checkpoints={max(budgets)}",
                "evaluation.every=0",
            ]
            train(load_recipe("r1_re_tiny_sft", settings), output=run, quiet=True)
        style = settings_of(run / "model").style
        for budget in budgets:
            model = load_model(run / "checkpoints" / f"checkpoint-{budget}")
            for split, examples in sets.items():
                records = evaluate_examples(model, examples, style=style, sampling=sampling, samples=0)
                write_jsonl(files[budget, split], records)


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="Answer-only SFT at several learning rates and budgets.")
    parser.add_argument("--output", type=Path, default=Path("runs/sweep"))
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    for seed in range(given.seeds):
        sweep(given.output / f"seed{seed}", seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
