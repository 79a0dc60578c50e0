"""The commands `bythebook data …`, and the options that they share with the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["AsJson", "DataPath", "Output", "data_app", "print_json"]

data_app = typer.Typer(
    no_args_is_help=True, help="What readers there are, what a row looks like, and whether files are right."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write.")]
DataPath = Annotated[Path | None, typer.Option("--path", "-p", help="The data: a folder or a file.")]
GuidelineFile = Annotated[Path | None, typer.Option(help="A guideline file, for the task `documents`.")]
SubTaskName = Annotated[
    str | None, typer.Option("--sub-task", help="Joint extraction: ner, re, re_plus or end2end; else label.")
]
FormatName = Annotated[
    str | None, typer.Option("--format", help="For the task `documents`: jsonl, brat, conll, docred or dygie.")
]


def print_json(value: Any) -> None:
    """One JSON value, on one line of standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))


@data_app.command("list")
def data_list(as_json: AsJson = False) -> None:
    """What tasks there are."""
    from bythebook.tasks import TASKS

    if as_json:
        print_json([{"name": t.name, "summary": t.summary, "needs_path": t.needs_path} for t in TASKS.values()])
        return
    for task in TASKS.values():
        typer.echo(f"{task.name:<12}  {task.summary}" + ("  (needs --path)" if task.needs_path else ""))


@data_app.command("show", epilog="Example: bythebook data show world")
def data_show(
    task: Annotated[str, typer.Argument(help="Task name.")],
    path: DataPath = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 2,
    guideline: GuidelineFile = None,
    sub_task: SubTaskName = None,
    format: FormatName = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Show the task's pictures, and write them into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a row and its prompt look like."""
    from bythebook.studies.show import sample_rows

    found = sample_rows(task, path, rows, guideline, images, sub_task=sub_task, format=format)
    if as_json:
        print_json(found)
        return
    for row in found:
        picture = f"picture: {row['image']}\n" if "image" in row else ""
        typer.echo(f"{row['id']}  ({row['split']}, {row['domain']})\n{picture}{row['prompt']}\ngold: {row['gold']}\n")


@data_app.command("check", epilog="Example: bythebook data check semeval2010 --path SemEval2010_task8_all_data --json")
def data_check(
    task: Annotated[str, typer.Argument(help="Task name.")],
    path: Annotated[Path, typer.Option("--path", "-p", help="The data: a folder or a file.")],
    guideline: GuidelineFile = None,
    sub_task: SubTaskName = None,
    format: FormatName = None,
    as_json: AsJson = False,
) -> None:
    """Read every row; name every fault with its line. Exit code 1 if there is one."""
    from bythebook.studies.show import check_data

    found = check_data(task, path, guideline, sub_task=sub_task, format=format)
    if as_json:
        print_json(found)
    else:
        for split, n in found["rows"].items():
            more = (f", {number} {name}" for name, number in found.get("counts", {}).get(split, {}).items())
            typer.echo(f"{split}: {n} rows{''.join(more)}")
        for note in found.get("notes", []):
            typer.echo(f"note: {note}")
        for fault in found["faults"]:
            typer.echo(f"{fault['file']}:{fault['line']}: {fault['message']}")
        typer.echo(f"{len(found['faults'])} faults")
    if found["faults"]:
        raise typer.Exit(1)


@data_app.command("split", epilog="Example: bythebook data split corpus/sentences.jsonl --output split")
def data_split(
    path: Annotated[Path, typer.Argument(help="JSONL of documents, or a folder of such files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder: train, dev, test and the guideline.")],
    guideline: Annotated[
        Path | None, typer.Option("--guideline", "-g", help="A guideline file; default: guideline.md beside the data.")
    ] = None,
    dev: Annotated[float, typer.Option(help="Share of the development set.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the test set.")] = 0.15,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Your own documents into train, dev, test.

    By document, stratified by label; near duplicates stay together, and what nobody annotated goes to `rest`.
    """
    from bythebook.studies.own_data import print_split, split_documents

    found = split_documents(path, output, guideline, dev=dev, test=test, seed=seed)
    print_json(found) if as_json else print_split(found, output)


@data_app.command("example", epilog="Example: bythebook data example corpus")
def data_example(
    folder: Annotated[Path, typer.Argument(help="Where to write guideline.md, sentences.jsonl and rest.jsonl.")],
    as_json: AsJson = False,
) -> None:
    """Write a small corpus to try it all with.

    A guideline, forty annotated sentences and twelve that are not: docs/own_data.md goes on from there.
    """
    from bythebook.studies.own_data import write_example

    files = [str(file) for file in write_example(folder)]
    print_json({"files": files}) if as_json else typer.echo("\n".join(files))
