"""The command line: parses arguments, calls one function, prints.

Exit codes: 0 done, 1 the input is wrong, 2 usage, 3 done but some rows could not be, 130 interrupted with state saved,
141 whoever read standard output wants no more of it (`… | head`).
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from bythebook import cli_annotate as opts
from bythebook.cli_attack import attack
from bythebook.cli_bench import bench
from bythebook.cli_data import AsJson, DataPath, Output, data_app
from bythebook.cli_data import print_json as _print_json
from bythebook.cli_reproduce import reproduce
from bythebook.cli_score import score
from bythebook.cli_study import study_app
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
guideline_app = typer.Typer(no_args_is_help=True, help="Check a guideline, and look at it as a model reads it.")
app.add_typer(data_app, name="data")
app.add_typer(guideline_app, name="guideline")
app.add_typer(study_app, name="study")

ModelName = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="A folder, a hub id, `embedded`, `embedded-joint`, or `openai:NAME` with --endpoint."
    ),
]
BackendName = Annotated[str | None, typer.Option("--backend", help="transformers, vllm or openai.")]
EndpointUrl = Annotated[str | None, typer.Option("--endpoint", help="An OpenAI-compatible server: http://…/v1.")]
KeyEnv = Annotated[str | None, typer.Option(help="Variable with the server's API key; default: OPENAI_API_KEY.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests to the server at once.")]
Patience = Annotated[float, typer.Option("--timeout", min=1, help="Seconds for one request to the server.")]
Pictures = Annotated[bool, typer.Option("--images", help="Show the task's pictures in the place of its texts.")]
ShuffleSeed = Annotated[
    int | None, typer.Option(help="Show relations and entity types in another order, by this seed.")
]
Prefilled = Annotated[bool, typer.Option("--prefilled", help="The server's chat template opens <think> itself.")]


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
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of sentences and training.")] = 0,
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
    resume: Annotated[bool, typer.Option(help="Go on with the run in --output; start it if there is none.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print the resolved recipe and what it will take.")] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also train with rewards that see no gold: is the gain real?")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train by a recipe (SFT or RL), then score before and after."""
    from bythebook.recipe import load_recipe

    settings = list(overrides or []) + ([f"data.path={json.dumps(str(path))}"] if path else [])
    resolved = load_recipe(recipe, settings)
    if dry_run:
        from bythebook.sizing import resolved_json, resolved_text

        _print_json(resolved_json(resolved)) if as_json else typer.echo(resolved_text(resolved), nl=False)
        return
    from bythebook.studies.controlled import run_with_controls
    from bythebook.studies.runs import run_recipe
    from bythebook.studies.show import print_run
    from bythebook.training.resume import refuse_unfinished

    folder = output or Path("runs") / resolved.name
    if not resume:
        refuse_unfinished(folder, folder / "warm_start")
    try:
        found = (run_with_controls if controls else run_recipe)(resolved, folder, resume=resume, quiet=as_json)
    except (Interrupted, KeyboardInterrupt) as stop:
        said = str(stop) or "stopped; what was done is kept, and the same command with --resume goes on"
        raise Interrupted(f"{said}:\n    {_command('--resume')}") from None
    if found:
        _print_json(found) if as_json else print_run(found)


def _command(option: str) -> str:
    """The command that is running, with one option more."""
    program = ["python", "-m", "bythebook"] if Path(sys.argv[0]).name == "__main__.py" else ["bythebook"]
    return shlex.join([*program, *(x for x in sys.argv[1:] if x != option), option])


@app.command(epilog="Example: bythebook evaluate --model runs/first/model --task world --samples 4")
def evaluate(
    task: Annotated[list[str], typer.Option("--task", "-t", help="Task name (repeatable).")],
    model: ModelName = "embedded",
    path: DataPath = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    samples: Annotated[int, typer.Option(min=0, help="Samples of each example beside the greedy answer.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many examples of a split.")] = None,
    guideline: Annotated[Path | None, typer.Option(help="A guideline file, for the task `documents`.")] = None,
    shuffle_relations: ShuffleSeed = None,
    rename_labels: Annotated[
        int | None, typer.Option(help="Show relations and entity types as codes (R37, T12), by this seed.")
    ] = None,
    permute_labels: Annotated[
        int | None, typer.Option(help="Exchange the names of relations, and of entity types, by this seed.")
    ] = None,
    constrained: Annotated[bool, typer.Option("--constrained", help="Ask again, bound to the schema.")] = False,
    images: Pictures = False,
    output: Output = None,
    backend: BackendName = None,
    endpoint: EndpointUrl = None,
    api_key_env: KeyEnv = None,
    concurrency: Concurrency = 8,
    timeout: Patience = 600.0,
    prefilled: Prefilled = False,
    as_json: AsJson = False,
) -> None:
    """Records, then scores, in domain and out of domain side by side."""
    from bythebook.evaluation import evaluate as run_evaluation
    from bythebook.guidelines import Variation
    from bythebook.studies.show import print_scores

    options: dict[str, Any] = {"guideline": str(guideline)} if guideline else {}
    options |= {"images": True} if images else {}
    seeds = {"shuffle_relations": shuffle_relations, "rename_labels": rename_labels, "permute_labels": permute_labels}
    found = run_evaluation(
        _model(model, backend, endpoint, api_key_env, concurrency, timeout, prefilled),
        task if len(task) > 1 else task[0],
        path=path,
        split=split,
        samples=samples,
        limit=limit,
        output=output,
        variation=Variation(**seeds),
        constrained=constrained,
        progress=not as_json,
        **options,
    )
    _print_json(found) if as_json else print_scores(found)
    if any(arm.get("unscored") for split in found.values() for arm in (split, split.get("constrained", {}))):
        raise typer.Exit(3)


def _model(
    name: str,
    backend: str | None,
    endpoint: str | None,
    api_key_env: str | None,
    concurrency: int,
    timeout: float,
    prefilled: bool,
) -> Any:
    """The name where it says everything (it is loaded when needed), otherwise the loaded model."""
    from bythebook.generation import load_model, server_at

    if endpoint is None:
        needs_more = backend not in (None, "transformers") or name.startswith("openai:")
        return load_model(name, cast(Any, backend)) if needs_more else name
    at = server_at(endpoint, api_key_env=api_key_env, concurrency=concurrency, timeout=timeout, prefilled=prefilled)
    return load_model(name, cast(Any, backend), endpoint=at)


@app.command(epilog="Example: bythebook annotate texts.txt -g guideline.md --output annotated.jsonl --samples 8")
def annotate(
    inputs: opts.Inputs,
    guideline: opts.GivenGuideline,
    output: opts.AnnotationOutput,
    model: ModelName = "embedded",
    sub_task: opts.AskedSubTask = None,
    samples: opts.Samples = 0,
    abstain_below: opts.AbstainBelow = None,
    calibration: opts.Calibrated = None,
    window: opts.Window = None,
    overlap: opts.Overlap = None,
    constrained: opts.Constrained = False,
    format: opts.AnnotationFormat = "jsonl",
    backend: BackendName = None,
    endpoint: EndpointUrl = None,
    api_key_env: KeyEnv = None,
    concurrency: Concurrency = 8,
    timeout: Patience = 600.0,
    prefilled: Prefilled = False,
    as_json: AsJson = False,
) -> None:
    """Texts and a guideline in, annotations out; resumable."""
    from bythebook.annotation import annotate_file

    asked = _model(model, backend, endpoint, api_key_env, concurrency, timeout, prefilled)
    found = annotate_file(
        inputs, output, guideline, asked, samples=samples, sub_task=sub_task, window=window, overlap=overlap,
        abstain_below=abstain_below, calibration=calibration, constrained=constrained, format=format,
        progress=not as_json,
    )  # fmt: skip
    _print_json(found) if as_json else typer.echo(opts.annotated_text(found))
    if found.get("failed"):
        raise typer.Exit(3)


app.command(epilog="Example: bythebook score scier predictions.jsonl --gold SciER/LLM --split test_ood --json")(score)


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


app.command(epilog="Example: bythebook bench train --json")(bench)
app.command(epilog="Example: bythebook attack r2grpo --search 2000 --json")(attack)
app.command(epilog="Example: bythebook reproduce r2grpo --seeds 3 --output runs/r2grpo")(reproduce)


@app.command(epilog="Example: bythebook report runs/demo")
def report(run: Annotated[Path, typer.Argument(help="A run directory.")], as_json: AsJson = False) -> None:
    """One self-contained HTML page of a run."""
    from bythebook.report import write_report

    page = write_report(run)
    _print_json({"report": str(page)}) if as_json else typer.echo(f"report: {page}")


@app.command(epilog='Example: accelerate launch --config_file "$(bythebook launch fsdp)" -m bythebook train r1_re')
def launch(name: Annotated[str, typer.Argument(help="ddp, fsdp, zero2 or zero3.")], as_json: AsJson = False) -> None:
    """Where the configuration lies with which `accelerate launch` trains on several GPUs."""
    from bythebook.recipe import launch_config

    path = str(launch_config(name))
    _print_json({"config": path}) if as_json else typer.echo(path)


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


@guideline_app.command("check", epilog="Example: bythebook guideline check guideline.md --json")
def guideline_check(
    file: Annotated[str, typer.Argument(help="A guideline file (Markdown or .yaml), or a name of the library.")],
    as_json: AsJson = False,
) -> None:
    """Every fault of a guideline, with its line and what to do. Exit code 1 if one of them is an error."""
    from bythebook.studies.show import check_guideline

    found = check_guideline(file)
    if as_json:
        _print_json(found)
    else:
        for f in found["findings"]:
            typer.echo(f"{file}:{f['line']}: {f['severity']}: {f['message']} ({f['remedy']}) [{f['code']}]")
        typer.echo(f"errors: {found['errors']}, warnings: {found['warnings']}")
    if found["errors"]:
        raise typer.Exit(1)


@guideline_app.command("show", epilog="Example: bythebook guideline show semeval2010 --rendering condensed")
def guideline_show(
    guideline: Annotated[str, typer.Argument(help="A guideline file, or the name of one in the library.")],
    rendering: Annotated[
        str, typer.Option(help="full, condensed, rules or brief; markdown or yaml: the document.")
    ] = "markdown",
) -> None:
    """Print a guideline, as a document or as a model reads it."""
    from bythebook.studies.show import guideline_text

    typer.echo(guideline_text(guideline, rendering))


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REMEDIES = {
    **dict.fromkeys(_NO_ROOM, "make room, then give the same command again"),
    **dict.fromkeys((errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EROFS), "choose another --output"),
}


def main() -> int:
    """The console script. Mistakes of the user print one line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A file may have a name that is no UTF-8: it is shown with escapes. (In a notebook a stream is something else.)
        with suppress(AttributeError, ValueError):
            cast(Any, stream).reconfigure(errors="backslashreplace")
    try:
        # An Exit is not raised through: its code is returned. A Ctrl-C becomes an Exit, too.
        done = app(standalone_mode=False, prog_name="bythebook")
        code = done if isinstance(done, int) else 0
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except SystemExit:
        return 141  # what typer makes of a broken pipe
    except BythebookError as error:
        sys.stderr.write(f"bythebook: {error}\n")
        return 130 if isinstance(error, Interrupted) else 1
    except OSError as error:
        # An output that is no folder, a full disk: what is read is checked where it is read. Files are named by whoever
        # writes them.
        _drop_unwritable()
        where = error.filename or ("standard output" if error.errno in _NO_ROOM else "")
        remedy = f" ({_REMEDIES[error.errno]})" if error.errno in _REMEDIES else ""
        sys.stderr.write(f"bythebook: {where}{': ' if where else ''}{error.strerror or error}{remedy}\n")
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


def _drop_unwritable() -> None:
    """Drop what was printed and can't be written, or Python would complain of it once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
