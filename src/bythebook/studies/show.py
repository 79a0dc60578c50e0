"""What the command line shows: rows of a task, faults of files, scores as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.table import Table

from bythebook.errors import GuidelineError, InputError
from bythebook.guidelines import (
    library_names,
    lint_file,
    lint_guideline,
    load_from_library,
    load_guideline,
    write_guideline,
    write_yaml,
)
from bythebook.metrics.semeval2010 import OFFICIAL
from bythebook.prompts import PromptStyle, render, render_guideline
from bythebook.prompts.render import Rendering
from bythebook.schema import ExtractionSchema
from bythebook.tasks import task_named
from bythebook.tasks.pictures import picture_of
from bythebook.types import Example, Guideline

__all__ = [
    "check_data",
    "check_guideline",
    "guideline_text",
    "print_protocols",
    "print_run",
    "print_scores",
    "sample_rows",
]


_PNG = b"\x89PNG"
_WORLDS = ("world", "world_answers", "world_fields", "world_forms", "world_joint", "world_scenes", "world_tables")


def _options(task: str, guideline: Path | None, more: Mapping[str, str | None]) -> dict[str, Any]:
    world = {"train": 4, "id": 4, "ood": 4} if task in _WORLDS else {}
    given = {name: value for name, value in more.items() if value is not None}
    return {**world, **({"guideline": guideline} if guideline and not world else {}), **given}


def _gold(example: Example) -> str | None:
    """The gold as a model would answer it."""
    if example.sub_task == "label":
        return example.gold.text if example.gold else None
    if example.sub_task in ("question", "key_values"):
        return example.reference
    if example.extraction is None:
        return None
    return ExtractionSchema.of(example.guideline).write(example.extraction, example.sub_task)


def sample_rows(
    task: str,
    path: Path | None,
    rows: int,
    guideline: Path | None = None,
    images: Path | None = None,
    **options: str | None,
) -> list[dict[str, Any]]:
    """The first rows of each split, with the prompt as the default template writes it; `options` are the task's own,
    where not None. With a folder for `images` the task shows pictures, and those of these rows are written there."""
    found: list[dict[str, Any]] = []
    short = task in _WORLDS
    style = PromptStyle(template="short", rendering="rules") if short else PromptStyle()
    asked = _options(task, guideline, options) | ({} if images is None else {"images": True})
    for split, examples in task_named(task).read(path, **asked).items():
        found += [
            {
                "id": e.id,
                "split": split,
                "domain": e.domain,
                "prompt": render(e, style)[0]["content"],
                "gold": _gold(e),
                **({} if images is None else _written_picture(e, images)),
            }
            for e in islice(examples, rows)
        ]
    return found


def _written_picture(example: Example, folder: Path) -> dict[str, str]:
    """Where the picture of an example is now; nothing for one that has none. InputError if it can't be written."""
    picture = picture_of(example)
    if picture is None:
        return {}
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in example.id)
    file = folder / f"{name}{'.png' if picture.startswith(_PNG) else '.jpg'}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", file=file, remedy="choose another folder") from None
    return {"image": str(file)}


def check_data(task: str, path: Path, guideline: Path | None = None, **options: str | None) -> dict[str, Any]:
    """`{"rows": {split: n}, "faults": [{"file", "line", "message"}]}`. InputError for a task without files."""
    return task_named(task).checked(path, **_options("", guideline, options))


_DOCUMENTS: dict[str, Callable[[Guideline], str]] = {"markdown": write_guideline, "yaml": write_yaml}


def _in_library(name_or_path: str) -> bool:
    return name_or_path in library_names() and not Path(name_or_path).exists()


def check_guideline(name_or_path: str) -> dict[str, Any]:
    """`{"file", "findings": [{"code", "severity", "line", "message", "remedy"}], "errors": n, "warnings": n,
    "guideline": {"title", "version", "hash", "labels"} or None}`: what is wrong with a guideline of the library or a
    file. `guideline` is None where the form is so broken that nothing can be loaded."""
    if _in_library(name_or_path):
        findings = lint_guideline(write_guideline(load_from_library(name_or_path)))
    else:
        findings = lint_file(name_or_path)
    try:
        g = load_from_library(name_or_path) if _in_library(name_or_path) else load_guideline(name_or_path)
    except GuidelineError:
        shown = None
    else:
        shown = {"title": g.title, "version": g.version, "hash": g.hash, "labels": [label.text for label in g.labels]}
    errors = sum(f.severity == "error" for f in findings)
    return {
        "file": name_or_path,
        "findings": [f.model_dump() for f in findings],
        "errors": errors,
        "warnings": len(findings) - errors,
        "guideline": shown,
    }


def guideline_text(name_or_path: str, rendering: str) -> str:
    """A guideline of the library or a file, as its document or as a model reads it."""
    guideline = load_from_library(name_or_path) if _in_library(name_or_path) else load_guideline(name_or_path)
    if rendering in _DOCUMENTS:
        return _DOCUMENTS[rendering](guideline).rstrip()
    for wanted in get_args(Rendering):
        if rendering == wanted:
            return render_guideline(guideline, wanted)
    choices = ", ".join((*_DOCUMENTS, *get_args(Rendering)))
    raise InputError(f"no rendering {rendering!r}", remedy=f"choose one of: {choices}")


def print_scores(found: dict[str, Any]) -> None:
    """Scores of an evaluation, one line a split, then in domain and out of domain; under each line the one of the same
    questions with constrained decoding, where there is one."""
    names = {"id": "in domain", "ood": "out of domain"}
    table = Table(box=None, padding=(0, 1))
    for column in ("", "n", "greedy", "Avg@K", "Maj@K", "Pass@K", "K", "format", "tokens"):
        table.add_column(column, justify="left" if not column else "right")
    rows = [(names.get(name, name), s) for name, s in found.items()]
    arms = [arm for name, s in rows for arm in ((name, s), (f"{name}, constrained", s.get("constrained"))) if arm[1]]
    for name, s in arms:
        shares = [_share(s[key]) for key in ("greedy", "avg_at_k", "maj_at_k", "pass_at_k")]
        tokens = "–" if s["tokens"] is None else f"{s['tokens']:.1f}"
        table.add_row(name, str(s["n"]), *shares, str(s["k"]), _share(s["format_rate"]), tokens)
    Console().print(table)


def print_run(found: dict[str, Any]) -> None:
    """Scores of a trained recipe, one line a model and split."""
    table = Table(box=None, padding=(0, 2))
    rows = [(f"{name} / {split}", s) for name, splits in found["scores"].items() for split, s in splits.items()]
    official = any("official" in s for _, s in rows)
    for column in ("", "n", "greedy", "Avg@K", "format", *(["official macro-F1"] if official else [])):
        table.add_column(column, justify="left" if not column else "right")
    for name, s in rows:
        shares = [_share(s.get(key)) for key in ("greedy", "avg_at_k", "format_rate")]
        last = [_share(s.get("official", {}).get(OFFICIAL), 4)] if official else []
        table.add_row(name, str(s.get("n", "–")), *shares, *last)
    Console().print(table)
    if found.get("controls"):
        Console().print(_controls(found["controls"]))
    if chosen := found.get("chosen"):
        tried = ", ".join(f"{row['step']}: {row['accuracy']:.3f}" for row in chosen["seen"])
        text = (
            f"chosen: step {chosen['step']}, the best on {chosen['on']} ({chosen['examples']} examples; of equals the "
            f"earlier one; step: accuracy: {tried})"
        )
        Console(soft_wrap=True).print(text, highlight=False)
    Console().print(f"model: {found['model']}\nreport: {found['report']}", highlight=False)


def _controls(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What every reward gained over the start, in points, and which share of the recipe's own gain that is."""
    table = Table(box=None, padding=(0, 2), title="gain over the start, greedy (95 %)", title_justify="left")
    for column in ("reward", "set", "points", "share of the gain"):
        table.add_column(column, justify="right" if column == "points" else "left")
    for row in rows:
        bounds = _span([row["low"], row["high"]])
        share = (
            "–"
            if row["share"] is None
            else f"{100 * row['share']:.0f} %{_span([row['share_low'], row['share_high']], 0)}"
        )
        table.add_row(row["label"], row["split"], f"{100 * row['gain']:+.1f}{bounds}", share)
    return table


def _span(bounds: Sequence[float | None], digits: int = 1) -> str:
    known = [f"{100 * b:.{digits}f}" for b in bounds if b is not None]
    return rf" \[{', '.join(known)}]" if len(known) == 2 else ""


def print_protocols(found: dict[str, Any]) -> None:
    """Scores of a published scorer, one line a protocol."""
    table = Table(box=None, padding=(0, 2))
    for column in ("protocol", "F1", "precision", "recall"):
        table.add_column(column, justify="left" if column == "protocol" else "right")
    for name, s in found["protocols"].items():
        table.add_row(name, *(_share(s.get(key), 4) for key in ("f1", "precision", "recall")))
    Console().print(table)


def _share(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
