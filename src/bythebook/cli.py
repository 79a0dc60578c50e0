"""The command line: parses arguments, calls one function, prints.

Exit codes: 0 done, 1 the input is wrong, 2 usage, 3 done but some rows could not be, 130 interrupted with state saved.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bythebook.errors import BythebookError, Interrupted

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train small language models to annotate by the book: the guideline in the prompt, the reward from a program.",
    epilog="Start with: bythebook demo",
)
data_app = typer.Typer(
    no_args_is_help=True, help="What readers there are, what a row looks like, and whether files are right."
)
guideline_app = typer.Typer(no_args_is_help=True, help="Look at a guideline as a model reads it.")
app.add_typer(data_app, name="data")
app.add_typer(guideline_app, name="guideline")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write.")]
DataPath = Annotated[Path | None, typer.Option("--path", "-p", help="The data: a folder or a file.")]
ModelName = Annotated[str, typer.Option("--model", "-m", help="A folder, a hub id, or `embedded`.")]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def _version(wanted: bool) -> None:
    if wanted:
        from bythebook import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: bythebook demo --seed 1 --output runs/demo-1")
def demo(
    output: Output = None,
    seed: Annotated[int, typer.Option(help="Seed of sentences and training.")] = 0,
    arm: Annotated[list[str] | None, typer.Option(help="Only this arm (repeatable).")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Arms side by side; default: one a core.")] = None,
    quick: Annotated[bool, typer.Option(help="A few steps and sentences: does it run at all?")] = False,
    as_json: AsJson = False,
) -> None:
    """The whole pipeline on the embedded model: RL beside answer-only SFT and controls; a table and a page."""
    from bythebook.studies.demo_show import show_demo

    result = show_demo(output or Path("runs/demo"), seed=seed, arms=arm, workers=workers, quick=quick, quiet=as_json)
    if as_json:
        _print_json(result)


@app.command(epilog="Example: bythebook train r1_re_tiny training.max_steps=20 --output runs/first")
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe of the package, or a YAML file.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="section.key=value", show_default=False)] = None,
    output: Output = None,
    path: DataPath = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in --output.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print the resolved recipe and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train by a recipe (SFT or RL), then score before and after."""
    from bythebook.recipe import dump_recipe, load_recipe

    settings = list(overrides or []) + ([f"data.path={json.dumps(str(path))}"] if path else [])
    resolved = load_recipe(recipe, settings)
    if dry_run:
        typer.echo(dump_recipe(resolved), nl=False)
        return
    from bythebook.studies.runs import run_recipe
    from bythebook.studies.show import print_run

    found = run_recipe(resolved, output or Path("runs") / resolved.name, resume=resume, quiet=as_json)
    _print_json(found) if as_json else print_run(found)


@app.command(epilog="Example: bythebook evaluate --model runs/first/model --task world --samples 4")
def evaluate(
    task: Annotated[list[str], typer.Option("--task", "-t", help="Task name (repeatable).")],
    model: ModelName = "embedded",
    path: DataPath = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    samples: Annotated[int, typer.Option(min=0, help="Samples of each example beside the greedy answer.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many examples of a split.")] = None,
    guideline: Annotated[Path | None, typer.Option(help="A guideline file, for the task `documents`.")] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Records, then scores, in domain and out of domain side by side."""
    from bythebook.evaluation import evaluate as run_evaluation
    from bythebook.studies.show import print_scores

    options: dict[str, Any] = {"guideline": str(guideline)} if guideline else {}
    found = run_evaluation(
        model,
        task if len(task) > 1 else task[0],
        path=path,
        split=split,
        samples=samples,
        limit=limit,
        output=output,
        progress=not as_json,
        **options,
    )
    _print_json(found) if as_json else print_scores(found)


@app.command(epilog="Example: bythebook annotate sentences.jsonl --guideline guideline.md --output annotated.jsonl")
def annotate(
    inputs: Annotated[list[Path], typer.Argument(help="JSONL of marked sentences, or documents with entities.")],
    guideline: Annotated[Path, typer.Option("--guideline", "-g", help="A guideline file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL of predictions; an existing one is completed.")],
    model: ModelName = "embedded",
    as_json: AsJson = False,
) -> None:
    """Texts and a guideline in, annotations out; resumable."""
    from bythebook.annotation import annotate_file

    found = annotate_file(inputs, output, guideline, model, progress=not as_json)
    if as_json:
        _print_json(found)
    if found.get("failed"):
        raise typer.Exit(3)


@app.command(epilog="Example: bythebook score semeval2010 answers.txt --gold TEST_FILE_KEY.TXT --json")
def score(
    task: Annotated[str, typer.Argument(help="Task name: semeval2010.")],
    predictions: Annotated[Path, typer.Argument(help="Answers, one `id<TAB>label` a line.")],
    gold: Annotated[Path, typer.Option(help="Gold: `id<TAB>label` lines, a file of blocks, or the release's folder.")],
    as_json: AsJson = False,
) -> None:
    """Scores of predictions anyone made, by protocols named in the literature."""
    from bythebook.studies.show import print_protocols
    from bythebook.tasks import task_named

    scorer = task_named(task).score
    if scorer is None:
        from bythebook.errors import InputError

        raise InputError(f"task {task!r} has no published scorer", remedy="use `bythebook evaluate`")
    found = scorer(predictions, gold)
    _print_json(found) if as_json else print_protocols(found)


@app.command(
    epilog='Example: bythebook reward r1_re completions.jsonl   (rows: {"completion": …, "gold": …, "labels": […]})'
)
def reward(
    name: Annotated[str, typer.Argument(help="Reward name, such as r1_re.")],
    completions: Annotated[Path, typer.Argument(help="JSONL of completions with their gold.")],
    as_json: AsJson = True,
) -> None:
    """The verdict of every completion, one JSON object a line: what was paid, part by part, and why."""
    from bythebook.rewards import reward_lines

    for line in reward_lines(name, completions):
        _print_json(line)


@app.command(epilog="Example: bythebook report runs/demo")
def report(run: Annotated[Path, typer.Argument(help="A run directory.")], as_json: AsJson = False) -> None:
    """One self-contained HTML page of a run."""
    from bythebook.report import write_report

    page = write_report(run)
    _print_json({"report": str(page)}) if as_json else typer.echo(f"report: {page}")


@app.command()
def recipes(as_json: AsJson = False) -> None:
    """Every recipe, the paper it comes from, what it needs."""
    from bythebook.recipe import load_recipe, recipe_names

    rows = []
    for name in recipe_names():
        recipe = load_recipe(name)
        rows.append({"name": name, "system": recipe.system, "paper": recipe.paper, "needs": recipe.needs})
    if as_json:
        _print_json(rows)
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        typer.echo(f"{row['name']:<{width}}  {row['system']} ({row['paper']}): {row['needs']}")


@data_app.command("list")
def data_list(as_json: AsJson = False) -> None:
    """What tasks there are."""
    from bythebook.tasks import TASKS

    if as_json:
        _print_json([{"name": t.name, "summary": t.summary, "needs_path": t.needs_path} for t in TASKS.values()])
        return
    for task in TASKS.values():
        typer.echo(f"{task.name:<12}  {task.summary}" + ("  (needs --path)" if task.needs_path else ""))


@data_app.command("show", epilog="Example: bythebook data show world")
def data_show(
    task: Annotated[str, typer.Argument(help="Task name.")],
    path: DataPath = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 2,
    guideline: Annotated[Path | None, typer.Option(help="A guideline file, for the task `documents`.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a row and its prompt look like."""
    from bythebook.studies.show import sample_rows

    found = sample_rows(task, path, rows, guideline)
    if as_json:
        _print_json(found)
        return
    for row in found:
        typer.echo(f"{row['id']}  ({row['split']}, {row['domain']})\n{row['prompt']}\ngold: {row['gold']}\n")


@data_app.command("check", epilog="Example: bythebook data check semeval2010 --path SemEval2010_task8_all_data --json")
def data_check(
    task: Annotated[str, typer.Argument(help="Task name.")],
    path: Annotated[Path, typer.Option("--path", "-p", help="The data: a folder or a file.")],
    guideline: Annotated[Path | None, typer.Option(help="A guideline file, for the task `documents`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read every row; name every fault with its line. Exit code 1 if there is one."""
    from bythebook.studies.show import check_data

    found = check_data(task, path, guideline)
    if as_json:
        _print_json(found)
    else:
        for split, n in found["rows"].items():
            typer.echo(f"{split}: {n} rows")
        for fault in found["faults"]:
            typer.echo(f"{fault['file']}:{fault['line']}: {fault['message']}")
        typer.echo(f"{len(found['faults'])} faults")
    if found["faults"]:
        raise typer.Exit(1)


@guideline_app.command("show", epilog="Example: bythebook guideline show semeval2010 --rendering condensed")
def guideline_show(
    guideline: Annotated[str, typer.Argument(help="A guideline file, or the name of one in the library.")],
    rendering: Annotated[
        str, typer.Option(help="full, condensed, rules or brief; markdown: the document.")
    ] = "markdown",
) -> None:
    """Print a guideline, as a document or as a model reads it."""
    from bythebook.studies.show import guideline_text

    typer.echo(guideline_text(guideline, rendering))


def main() -> int:
    """The console script. Mistakes of the user print one line, never a traceback."""
    try:
        # An Exit is not raised through: its code is returned. A Ctrl-C becomes an Exit, too.
        done = app(standalone_mode=False, prog_name="bythebook")
        code = done if isinstance(done, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BythebookError as error:
        sys.stderr.write(f"bythebook: {error}\n")
        return 130 if isinstance(error, Interrupted) else 1
    except OSError as error:
        # An output that is no folder, a full disk: what is read is checked where it is read.
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"bythebook: {where}{error.strerror or error}\n")
        return 1
    except Exception as error:
        # click's own errors know how to print themselves and carry exit code 2
        show = getattr(error, "show", None)
        if show is None or not hasattr(error, "exit_code"):
            raise
        show()
        return int(error.exit_code)
    if code == 130:
        sys.stderr.write("\ninterrupted; what was done is saved, and the same command goes on from there\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
