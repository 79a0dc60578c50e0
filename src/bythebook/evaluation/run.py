"""Whole tasks: what is read, asked, kept in a folder and scored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bythebook.errors import InputError, said
from bythebook.evaluation.asking import evaluate_examples
from bythebook.evaluation.scoring import scores, scores_by_domain
from bythebook.generation import Model, Sampling, folder_of, generate_constrained, load_model
from bythebook.guidelines import Variation, keep_guidelines, vary
from bythebook.records import Record, digest_of, list_errors, write_text
from bythebook.tasks import Task, task_named
from bythebook.types import Example

__all__ = ["evaluate"]

_Records = Mapping[tuple[str, str], list[Record]]
"""By task and split."""


def evaluate(
    model: Model | str | Path,
    task: str | Sequence[str],
    *,
    path: Path | str | None = None,
    split: str | None = None,
    samples: int = 4,
    limit: int | None = None,
    output: Path | str | None = None,
    temperature: float = 1.0,
    max_new_tokens: int | None = None,
    batch_size: int = 256,
    seed: int = 0,
    variation: Variation | None = None,
    constrained: bool = False,
    progress: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Evaluate a model on one task or several.

    Returns `{"<task>/<split>": scores(…), …}`, with the scores of each domain under `domains` where a split has
    2 to 20 of them; and, where a task says which of its splits are in domain and which out of domain, the pooled
    scores under `id` and `ood`. `limit` takes the first examples of each split. `output` is a folder for the records,
    one file a split; what is there already is not asked again. `variation` shows the guidelines in another
    rendering, with the gold that follows. With `constrained` every question is asked once more with decoding bound to
    the guideline's schema: those scores stand beside the others under `constrained`, their records in
    `<task>.<split>.constrained.jsonl`. `options` go to the task's reader. InputError for an unknown task or split, a
    setting out of range, or an output folder that holds records made with another model or other settings.
    What the model could not be asked is in no score; `<output>.errors.jsonl` lists it, and the same call asks it again.
    """
    tasks = [task_named(name) for name in ([task] if isinstance(task, str) else task)]
    shown = variation or Variation()
    read = {one.name: _splits(one, path, split, options, shown) for one in tasks}
    loaded = _loaded(model, pictures=bool(options.get("images")))
    most = max_new_tokens or loaded.settings.max_new_tokens or 1024
    sampling = _sampling(temperature=temperature, max_new_tokens=most, seed=seed, batch_size=batch_size)
    if constrained:
        generate_constrained(loaded, [], sampling, [])  # so that it is known before the work whether it can be
    if output is not None:
        data = {"path": path, "variation": shown.text or None, **options}
        _claim(Path(output), model, loaded, sampling, data, read, limit)
    ask = partial(evaluate_examples, loaded, style=loaded.settings.style, sampling=sampling, samples=samples)
    splits = [(one, name, examples[:limit]) for one in tasks for name, examples in read[one.name].items()]
    arms = [_asked(ask, splits, output, progress, bound) for bound in ([False, True] if constrained else [False])]
    _list_failed(output, arms)
    found, *beside = [_scored(tasks, records) for records in arms]
    for constrained_scores in beside:
        for key, s in constrained_scores.items():
            found[key]["constrained"] = s
    return found


def _loaded(model: Model | str | Path, *, pictures: bool) -> Model:
    if not isinstance(model, (str, Path)):
        return model
    return load_model(model, pictures=True) if pictures else load_model(model)


def _asked(
    ask: Callable[..., list[Record]],
    splits: Sequence[tuple[Task, str, list[Example]]],
    output: Path | str | None,
    progress: bool,
    constrained: bool,
) -> _Records:
    """The records of every split, decoded freely or constrained."""
    records = {}
    for task, split, examples in splits:
        name = f"{split}.constrained" if constrained else split
        records[task.name, split] = ask(
            examples,
            keep_text=not task.licensed,
            constrained=constrained,
            resume_path=Path(output) / f"{task.name}.{name}.jsonl" if output else None,
            progress=_bar(f"{task.name}/{name}") if progress else None,
        )
    return records


def _scored(tasks: Sequence[Task], records: _Records) -> dict[str, Any]:
    found = {f"{one}/{name}": _with_domains(rows) for (one, name), rows in records.items()}
    return found | _pooled(tasks, records)


def _list_failed(output: Path | str | None, arms: Sequence[_Records]) -> None:
    if output is None:
        return
    folder = Path(output)
    failed = [row for arm in arms for (one, name), rows in arm.items() for row in _failed(f"{one}/{name}", rows)]
    list_errors(folder.with_name(folder.name + ".errors.jsonl"), failed)


def _pooled(tasks: Sequence[Task], records: _Records) -> dict[str, Any]:
    """Scores of all splits in domain, and of all out of domain, where the tasks say which are."""
    side = {(t.name, name): "id" for t in tasks for name in t.in_domain}
    side |= {(t.name, name): "ood" for t in tasks for name in t.out_of_domain}
    members = {s: [r for key, rows in records.items() if side.get(key) == s for r in rows] for s in ("id", "ood")}
    return {s: scores(rows) for s, rows in members.items() if rows}


def _failed(split: str, records: Sequence[Record]) -> list[dict[str, Any]]:
    return [
        {"split": split, "id": r.id, "sample": r.sample, "message": "; ".join(r.errors)}
        | ({"decoding": r.decoding} if r.decoding else {})
        for r in records
        if r.finish_reason == "error"
    ]


_MOST_DOMAINS = 20


def _with_domains(records: Sequence[Record]) -> dict[str, Any]:
    domains = scores_by_domain(records)
    return scores(records) | ({"domains": domains} if 1 < len(domains) <= _MOST_DOMAINS else {})


def _sampling(**fields: Any) -> Sampling:
    try:
        return Sampling.model_validate(fields)
    except ValidationError as error:
        raise InputError(said(error)) from None


def _claim(
    output: Path,
    model: Model | str | Path,
    loaded: Model,
    sampling: Sampling,
    data: dict[str, Any],
    read: Mapping[str, Mapping[str, list[Example]]],
    limit: int | None,
) -> None:
    """Note in `evaluation.json` with what the records of this folder are made; InputError if it was something else.

    Further splits may join, and so may samples and examples beyond a former limit. The batch size may change, too: it
    is what one lowers when memory runs out, though the same seed draws other samples then."""
    made: dict[str, Any] = {
        "model": loaded.name,
        "weights": None if not isinstance(model, (str, Path)) else _weights(model),
        "style": loaded.settings.style.model_dump(),
        "sampling": sampling.model_dump(include={"temperature", "top_p", "max_new_tokens", "seed"}),
        "data": {key: str(value) for key, value in data.items() if value is not None},
    }
    splits = {f"{task}/{name}": rows for task, found in read.items() for name, rows in found.items()}
    examples = {name: digest_of(rows) for name, rows in splits.items()}
    file = output / "evaluation.json"
    before = _noted(file) if file.exists() else made
    known = before.get("examples") or {}
    other = [key for key in made if before.get(key) != made[key]]
    other += [f"examples of {name}" for name in examples if known.get(name, examples[name]) != examples[name]]
    if other:
        raise InputError(
            f"the records here were made with another setting of: {', '.join(other)}",
            file=file,
            remedy="choose another output",
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps({**made, "examples": {**known, **examples}}, indent=2) + "\n")
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", file=output, remedy="choose another folder") from None
    keep_guidelines(output, (e.guideline for rows in splits.values() for e in rows[:limit]))


def _noted(file: Path) -> dict[str, Any]:
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"can't be read: {error}", file=file, remedy="choose another output folder") from None
    if not isinstance(before, dict) or not isinstance(before.get("examples", {}), dict):
        raise InputError("not what an evaluation notes", file=file, remedy="choose another output folder")
    return before


def _weights(model: str | Path) -> list[list[Any]] | None:
    """Name, bytes and time of change of each weight file, which tell a checkpoint from the one before it."""
    folder = folder_of(model)
    return [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in sorted(folder.glob("*.safetensors"))] or None


def _splits(
    task: Task, path: Path | str | None, split: str | None, options: dict[str, Any], variation: Variation
) -> dict[str, list[Example]]:
    loaded = task.read(path, **{**task.test_options, **options})
    loaded = {name: vary(rows, variation) for name, rows in loaded.items()}
    if split is None:
        tests = {name: rows for name, rows in loaded.items() if name != "train"}
        return tests or loaded
    if split not in loaded:
        raise InputError(f"task {task.name!r} has no split {split!r} here", remedy=f"it has: {', '.join(loaded)}")
    return {split: loaded[split]}


def _bar(title: str) -> Callable[[int, int], None]:
    from rich.console import Console

    console = Console(stderr=True)

    def say(done: int, total: int) -> None:
        console.print(f"{title}: {done}/{total}", highlight=False, markup=False)

    return say
