"""Out of domain on real text by guideline swap: trained on SemEval-2010 Task 8, asked under the guidelines of
SemEval-2018 Task 7 and CrossRE.

    python -m bythebook.studies.r1_re.swap --data DIR_OF_DATASETS --output runs/swap --seeds 3
    python -m bythebook.studies.r1_re.swap --keep runs/swap docs/results/r1_re_swap
    python -m bythebook.studies.r1_re.swap --results docs/results/r1_re_swap

The data sets lie in the folders `semeval2010_task8`, `semeval2018_task7` and `crossre`. In training every batch shows
the relations in another order under other codes, and so does every test, or else a model that writes the names it
learnt could not be right. What is done is kept, whenever the command was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from bythebook.errors import BythebookError
from bythebook.evaluation import evaluate_examples
from bythebook.generation import Sampling, load_model
from bythebook.guidelines import Variation, load_from_library, rotate_names, vary
from bythebook.guidelines.variations import varied_names
from bythebook.recipe import load_recipe
from bythebook.records import Record, digest_of, write_jsonl
from bythebook.studies.folders import claim
from bythebook.studies.kept import keep
from bythebook.studies.r1_re.swap_results import CONTROL, MODELS, TESTS, results
from bythebook.studies.side_by_side import cores, worker_pool
from bythebook.tasks import task_named
from bythebook.training import train
from bythebook.types import Example, Guideline

__all__ = ["QUICK", "SwapSize", "in_own_words", "questions", "quoted_from", "run_seed", "run_swap", "shown_as_codes"]

_FOLDERS = {"semeval2010": "semeval2010_task8", "semeval2018": "semeval2018_task7", "crossre": "crossre"}
"""Task → folder of its release."""
_MAX_NEW_TOKENS = 40
_BATCH = 32


@dataclass(frozen=True)
class SwapSize:
    """How much of everything."""

    limit: int = 500
    """Questions of each test: of larger ones so many are drawn, the same for every seed and model."""
    renderings: int = 10
    """So many orders and sets of codes a test, so that none of them decides."""
    warm: tuple[str, ...] = ()
    """`section.key=value` settings of the warm start."""
    rl: tuple[str, ...] = ()
    """`section.key=value` settings of RL."""


QUICK = SwapSize(
    limit=8,
    renderings=2,
    warm=(
        "training.max_steps=2",
        "training.batch_size=2",
        "training.micro_batch_size=2",
        "training.sentences_per_row=2",
        "model.scratch.vocabulary=400",
    ),
    rl=(
        "training.max_steps=2",
        "rollout.prompts_per_step=2",
        "rollout.num_generations=2",
        "training.batch_size=4",
        "training.micro_batch_size=4",
    ),
)
"""Whether it runs at all."""


def questions(data: Path, size: SwapSize) -> dict[str, list[Example]]:
    """The questions of every test, by task, in the files' own words. InputError for data that can't be read."""
    found = {name: task_named(name).read(data / folder)["test"] for name, folder in _FOLDERS.items()}
    return {name: _drawn(rows, f"bythebook swap/{name}", size.limit) for name, rows in found.items()}


def _drawn(rows: list[Example], key: str, limit: int) -> list[Example]:
    if len(rows) <= limit:
        return rows
    places = random.Random(key).sample(range(len(rows)), limit)
    return [rows[i] for i in sorted(places)]


def shown_as_codes(examples: list[Example], renderings: int) -> tuple[list[Example], dict[str, dict[str, str]]]:
    """The questions with relations shuffled and renamed to codes, every `renderings`-th alike, in the same order; and
    example id → code → relation."""
    shown: dict[str, Example] = {}
    codes: dict[str, dict[str, str]] = {}
    for number in range(min(renderings, len(examples))):
        variation = Variation(shuffle_relations=f"swap/{number}", rename_labels=f"swap/{number}")
        for before, after in zip(
            examples[number::renderings], vary(examples[number::renderings], variation), strict=True
        ):
            shown[before.id] = after
            codes[before.id] = dict(varied_names(before.guideline, variation).inverse.relations)
    return [shown[e.id] for e in examples], codes


def in_own_words(record: Record, codes: dict[str, str]) -> Record:
    """The record with gold and answer under the guideline's own names."""

    def translated(label: str | None) -> str | None:
        name, bracket, rest = (label or "").partition("(")
        return label and codes.get(name, name) + bracket + rest

    return record.model_copy(update={"gold": translated(record.gold), "answer": translated(record.answer)})


def quoted_from(completion: str | None, shown: Guideline, learnt: Guideline) -> str:
    """Whose definition the reasoning quotes from its beginning: `shown`, that of the guideline in the prompt; `learnt`,
    that of the training guideline alone; `none`."""
    words = (completion or "").partition("<think>")[2].partition("</think>")[0].strip()
    for name, guideline in (("shown", shown), ("learnt", learnt)):
        if words and any(r.definition.startswith(words) for r in guideline.relation_types):
            return name
    return "none"


def _ask(path: Path, examples: list[Example], size: SwapSize, *, exchanged: bool) -> list[Record]:
    """Greedy answers under codes, told in the guideline's own words, without any text. With `exchanged` every
    definition stands beside the code of the next one: who reads definitions gets the relation wrong."""
    model, learnt = load_model(path), load_from_library("semeval2010")
    shown, codes = shown_as_codes(examples, size.renderings)
    asked = {e.id: rotate_names(e.guideline) if exchanged else e.guideline for e in shown}
    records = evaluate_examples(
        model,
        shown,
        style=model.settings.style,
        sampling=Sampling(temperature=0.0, max_new_tokens=_MAX_NEW_TOKENS, batch_size=_BATCH),
        samples=0,
        guideline_of=lambda e: asked[e.id],
    )
    told = []
    for r in records:
        tags = {"quoted": quoted_from(r.completion, asked[r.id], learnt)}
        no_text = {"completion": None, "text": None, "entities": None, "tags": tags}
        told.append(in_own_words(r, codes[r.id]).model_copy(update=no_text))
    return told


def run_seed(seed: int, data: str, run: str, size: SwapSize) -> int:
    """Train both stages and write the records of both into `run`; what a former, interrupted attempt made is kept.
    Returns the seed. Runs in a process of its own."""
    folder = Path(run)
    common = [f"seed={seed}", f"data.path={json.dumps(str(Path(data) / _FOLDERS['semeval2010']))}"]
    start = train(
        load_recipe("r1_re_swap_warm_start", [*common, *size.warm]),
        output=folder / "warm_start",
        resume=True,
        quiet=True,
    )
    trained = train(
        load_recipe("r1_re_swap_tiny", [*common, f"model.path={json.dumps(str(start))}", *size.rl]),
        output=folder / "rl",
        resume=True,
        quiet=True,
    )
    tests = questions(Path(data), size)
    for model, path in zip(MODELS, (start, trained), strict=True):
        for control in ("", CONTROL):
            for test in TESTS:
                file = folder / "records" / f"{model}{control}.{test}.jsonl"
                if not file.exists():
                    write_jsonl(file, _ask(path, tests[test], size, exchanged=control == CONTROL))
    return seed


def run_swap(
    data: Path,
    output: Path,
    *,
    seeds: int = 3,
    size: SwapSize | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run the study with seeds 0 … seeds − 1 into `<output>/seed<n>`; `say` gets a line of progress.

    InputError for data that can't be read, or a folder that holds runs of another size or other questions.
    """
    size = size or SwapSize()
    tests = questions(data, size)
    folders = {seed: output / f"seed{seed}" for seed in range(seeds)}
    for seed, folder in folders.items():
        _claim(folder, size, seed, tests)
    left = {seed: folder for seed, folder in folders.items() if not _is_done(folder)}
    say(f"{len(left)} of {seeds} seeds to run; " + ", ".join(f"{len(rows)} of {name}" for name, rows in tests.items()))
    if not left:
        return
    with worker_pool(max(1, min(workers or cores(), len(left)))) as pool:
        futures = [pool.submit(run_seed, seed, str(data), str(folder), size) for seed, folder in left.items()]
        for future in as_completed(futures):
            say(f"seed {future.result()}: done")


def _is_done(folder: Path) -> bool:
    names = [f"{model}{control}.{test}" for model in MODELS for control in ("", CONTROL) for test in TESTS]
    return all((folder / "records" / f"{name}.jsonl").exists() for name in names)


def _claim(folder: Path, size: SwapSize, seed: int, tests: dict[str, list[Example]]) -> None:
    asked = {name: digest_of(rows) for name, rows in tests.items()}
    wanted = {"seed": seed, "size": asdict(size), "questions": asked}
    claim(folder, wanted, seed, "another size or seed, or on other data")


def keep_swap(run: Path, folder: Path) -> None:
    """Copy ids, answers and verdicts of `<run>/seed*`, without text."""
    for seed in sorted(run.glob("seed*")):
        keep(seed, folder / seed.name)


def main(arguments: list[str] | None = None) -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="R1-RE out of domain on real text, by guideline swap, over seeds.")
    parser.add_argument("--data", type=Path, help=f"holds the folders {', '.join(_FOLDERS.values())}")
    parser.add_argument("--output", type=Path, default=Path("runs/swap"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, help="seeds side by side; default: one a core")
    parser.add_argument("--quick", action="store_true", help="two steps and eight questions: does it run at all?")
    parser.add_argument("--keep", type=Path, nargs=2, metavar=("RUN", "FOLDER"), help="keep the records of a run")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="print the tables from kept records")
    given = parser.parse_args(arguments)

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    try:
        if given.keep:
            keep_swap(*given.keep)
        elif given.results:
            sys.stdout.write(results(given.results) + "\n")
        elif given.data:
            size = QUICK if given.quick else None
            run_swap(given.data, given.output, seeds=given.seeds, size=size, workers=given.workers, say=say)
        else:
            parser.error("one of --data, --keep and --results is needed")
    except BythebookError as error:
        say(f"bythebook: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on with what is left")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
