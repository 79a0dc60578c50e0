"""Task + model → records → scores, in domain and out of domain side by side.

Accuracy reads the single answer; whether the form is right is a rate of its own, so that a model which answers
without reasoning is judged fairly on its answers.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bythebook import stats
from bythebook.errors import DataError, InputError
from bythebook.generation import EMBEDDED, Model, Sampling, embedded_path, load_model
from bythebook.guidelines import Variation, keep_guidelines, vary
from bythebook.metrics.labels import same_label
from bythebook.parsing import parse_tagged_answer
from bythebook.prompts import PromptStyle, render
from bythebook.records import (
    Mention,
    Record,
    append_jsonl,
    digest_of,
    drop_torn_line,
    list_errors,
    read_records,
    write_jsonl,
    write_text,
)
from bythebook.rewards import TextReward, reward
from bythebook.rewards.r1_re import codes_of
from bythebook.schema import Gold, Grammar
from bythebook.tasks import Task, task_named
from bythebook.types import Completion, Example, Guideline, Verdict

__all__ = ["evaluate", "evaluate_examples", "scores", "scores_by_domain"]

GREEDY = -1
"""The sample number of the greedy answer."""

_CHUNK = 256
"""Examples asked at once, unless the model has a `chunk` of its own: what is lost at most by an interruption."""

_TOO_LONG = "too_long: the prompt does not fit into the model's context"


def evaluate_examples(
    model: Model,
    examples: Sequence[Example],
    *,
    style: PromptStyle,
    sampling: Sampling,
    greedy: bool = True,
    samples: int = 4,
    reward_name: str = "r1_re",
    guideline_of: Callable[[Example], Guideline] | None = None,
    resume_path: Path | None = None,
    keep_text: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Record]:
    """Ask the model about every example: once greedily (sample -1) and `samples` times at `sampling.temperature`.

    `guideline_of` shows another guideline than the example's own; gold stays the example's. With `resume_path`, records
    already there (same id, sample and guideline shown) are kept and every new one is appended as soon as it is made.
    A last record cut short by a crash is made again, and so is one whose generation failed; a resumed run gives the
    records that an uninterrupted one would have given. DataError if two examples have one id, InputError for samples at
    temperature 0, or if `resume_path` holds a record of another text or gold under the id of an example.
    """
    _refuse(examples, samples, sampling)
    judge = reward(reward_name, prefilled=model.prefilled)
    numbers = ([GREEDY] if greedy else []) + list(range(samples))
    kept = _kept(resume_path, examples, numbers, guideline_of)
    # What is drawn for a prompt depends on what is drawn beside it, unless the model asks for each by itself.
    size, separate = getattr(model, "chunk", _CHUNK), getattr(model, "separate", False)
    for start in range(0, len(examples), size):
        chunk = examples[start : start + size]
        seed = sampling.seed + (0 if separate else start)
        for drawn, ask in _passes(greedy, samples, sampling, seed):
            missing = [e for e in chunk if any((e.id, n) not in kept for n in drawn)]
            if not missing:
                continue
            asked = missing if separate else chunk
            shown = [guideline_of(e) if guideline_of else e.guideline for e in asked]
            prompts = [render(e, style, g) for e, g in zip(asked, shown, strict=True)]
            fresh = [
                _record(e, g, n, c, judge, keep_text)
                for e, g, completions in zip(asked, shown, model.generate(prompts, ask), strict=True)
                for n, c in zip(drawn, completions, strict=True)
                if (e.id, n) not in kept
            ]
            kept |= {(r.id, r.sample): r for r in fresh}
            if resume_path is not None and fresh:
                append_jsonl(resume_path, fresh)
        if progress:
            progress(start + len(chunk), len(examples))
    return [kept[e.id, n] for e in examples for n in numbers]


def _refuse(examples: Sequence[Example], samples: int, sampling: Sampling) -> None:
    twice = [name for name, count in Counter(e.id for e in examples).items() if count > 1]
    if twice:
        raise DataError(f"two examples have the id {twice[0]!r}", remedy="give every row an id of its own")
    if samples > 0 and sampling.greedy:
        raise InputError("samples at temperature 0 are all the same", remedy="ask for 0 samples, or a temperature")


def _passes(greedy: bool, samples: int, sampling: Sampling, seed: int) -> list[tuple[list[int], Sampling]]:
    """The numbers of the records that one call of the model makes for each example, and how it is asked."""
    passes = [([GREEDY], sampling.as_greedy())] if greedy else []
    return [*passes, (list(range(samples)), sampling.drawing(samples, seed))] if samples > 0 else passes


def _kept(
    path: Path | None,
    examples: Sequence[Example],
    numbers: Sequence[int],
    guideline_of: Callable[[Example], Guideline] | None,
) -> dict[tuple[str, int], Record]:
    if path is None or not path.exists():
        return {}
    drop_torn_line(path)
    records = read_records(path)
    # What failed is asked again, but for a prompt that is too long: no patience shortens it.
    whole = [r for r in records if r.finish_reason != "error" or r.errors == (_TOO_LONG,)]
    if len(whole) < len(records):
        write_jsonl(path, whole)
    shown = {e.id: (guideline_of(e) if guideline_of else e.guideline) for e in examples}
    found = {
        (r.id, r.sample): r
        for r in whole
        if r.sample in numbers and r.guideline is not None and r.id in shown and shown[r.id].hash == r.guideline
    }
    by_id = {e.id: e for e in examples}
    for r in found.values():
        e = by_id[r.id]
        same_gold = r.gold == (Grammar.of(shown[e.id]).canonical(e.gold).text if e.gold else None)
        if not same_gold or r.text not in (None, e.text):
            other = f"another {'text' if same_gold else 'gold'} under the id {e.id!r}"
            raise InputError(f"holds an answer for {other}", file=path, remedy="choose another output")
    return found


def _record(
    example: Example, shown: Guideline, number: int, completion: Completion, judge: TextReward, keep_text: bool
) -> Record:
    # The grammar is that of the guideline shown; the gold is the example's own, which that grammar need not know.
    grammar = Grammar.of(shown)
    parsed = parse_tagged_answer(completion.text, grammar, prefilled=judge.prefilled)
    gold = grammar.canonical(example.gold) if example.gold else None
    verdict = Verdict(value=None, status="unscored")
    failed = completion.finish_reason == "error"
    if gold:
        verdict = judge.judge.judge(parsed, Gold(label=gold, grammar=grammar), completion.finish_reason)
    mentions = tuple(Mention(id=e.id, start=e.span.start, end=e.span.end, type=e.type) for e in example.entities)
    return Record(
        schema="bythebook.prediction/1",
        id=example.id,
        domain=example.domain,
        sample=number,
        gold=gold.text if gold else None,
        answer=parsed.label.text if parsed.label else None,
        correct=same_label(parsed.label, gold) if gold and not failed else None,
        well_formed=parsed.well_formed,
        status=verdict.status,
        value=verdict.value,
        completion=completion.text if keep_text else None,
        text=example.text if keep_text else None,
        entities=mentions if keep_text else None,
        finish_reason=completion.finish_reason,
        tokens=completion.tokens,
        guideline=shown.hash,
        errors=(completion.error or _TOO_LONG,) if failed else verdict.errors or codes_of(parsed),
        tags=dict(example.meta),
    )


def scores(records: Iterable[Record]) -> dict[str, Any]:
    """Scores of some records, fractions; None where there is nothing to average.

    `n` examples; `greedy`, accuracy of the greedy answers; `k` samples of each example and their `avg_at_k`,
    `maj_at_k`, `pass_at_k`; `format_rate`, `no_answer_rate`, `truncated_rate` and `tokens` (mean) of the samples, or
    of the greedy completions where there are no samples. Examples without gold count in the rates only. `unscored`
    records, whose generation failed, count nowhere, and neither does an example of which a sample failed in what is
    said of its k samples.
    """
    by_id: dict[str, list[Record]] = defaultdict(list)
    for r in records:
        by_id[r.id].append(r)
    rows = [r for group in by_id.values() for r in group if r.finish_reason != "error"]
    greedy = [r for r in rows if r.sample == GREEDY]
    sampled = [r for r in rows if r.sample >= 0]
    drawn = [sorted((r for r in group if r.sample >= 0), key=lambda r: r.sample) for group in by_id.values()]
    drawn = [group for group in drawn if group and group[0].gold is not None]
    k = min((len(group) for group in drawn), default=0)
    drawn = [group for group in drawn if all(r.finish_reason != "error" for r in group[:k])]
    hits = [[float(bool(r.correct)) for r in group[:k]] for group in drawn]
    answers = [[r.answer for r in group[:k]] for group in drawn]
    shown = sampled or greedy
    return {
        "n": len(by_id),
        "k": k,
        "greedy": stats.mean(float(r.correct) for r in greedy if r.correct is not None),
        "avg_at_k": stats.avg_at_k(hits),
        "maj_at_k": stats.maj_at_k(answers, [group[0].gold for group in drawn]),
        "pass_at_k": stats.mean_pass_at_k(hits, k) if k else None,
        "format_rate": stats.mean(float(r.well_formed) for r in shown),
        "no_answer_rate": stats.mean(float(r.answer is None) for r in shown),
        "truncated_rate": stats.mean(float(r.finish_reason == "length") for r in shown),
        "tokens": stats.mean(float(r.tokens) for r in shown if r.tokens is not None),
        "unscored": sum(r.finish_reason == "error" for group in by_id.values() for r in group),
    }


def scores_by_domain(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """`scores` of each domain, in order of appearance."""
    by_domain: dict[str, list[Record]] = defaultdict(list)
    for r in records:
        by_domain[r.domain].append(r)
    return {domain: scores(rows) for domain, rows in by_domain.items()}


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
    progress: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Evaluate a model on one task or several.

    Returns `{"<task>/<split>": scores(…), …}`, with the scores of each domain under `domains` where a split has
    2 to 20 of them; and, where a task says which of its splits are in domain and which out of domain, the pooled
    scores under `id` and `ood`. `limit` takes the first examples of each split. `output` is a folder for the records,
    one file a split; what is there already is not asked again. `variation` shows the guidelines in another
    rendering, with the gold that follows. `options` go to the task's reader. InputError for an unknown task or split, a
    setting out of range, or an output folder that holds records made with another model or other settings.
    What the model could not be asked is in no score; `<output>.errors.jsonl` lists it, and the same call asks it again.
    """
    tasks = [task_named(name) for name in ([task] if isinstance(task, str) else task)]
    shown = variation or Variation()
    read = {one.name: _splits(one, path, split, options, shown) for one in tasks}
    loaded = model if not isinstance(model, (str, Path)) else load_model(model)
    most = max_new_tokens or loaded.settings.max_new_tokens or 1024
    sampling = _sampling(temperature=temperature, max_new_tokens=most, seed=seed, batch_size=batch_size)
    if output is not None:
        data = {"path": path, "variation": shown.text or None, **options}
        _claim(Path(output), model, loaded, sampling, data, read, limit)
    ask = partial(evaluate_examples, loaded, style=loaded.settings.style, sampling=sampling, samples=samples)
    records = {
        (one.name, name): ask(
            examples[:limit],
            keep_text=not one.licensed,
            resume_path=Path(output) / f"{one.name}.{name}.jsonl" if output else None,
            progress=_bar(f"{one.name}/{name}") if progress else None,
        )
        for one in tasks
        for name, examples in read[one.name].items()
    }
    _list_failed(output, records)
    found = {f"{one}/{name}": _with_domains(rows) for (one, name), rows in records.items()}
    return found | _pooled(tasks, records)


def _list_failed(output: Path | str | None, records: Mapping[tuple[str, str], list[Record]]) -> None:
    if output is None:
        return
    folder = Path(output)
    failed = [row for (one, name), rows in records.items() for row in _failed(f"{one}/{name}", rows)]
    list_errors(folder.with_name(folder.name + ".errors.jsonl"), failed)


def _pooled(tasks: Sequence[Task], records: Mapping[tuple[str, str], list[Record]]) -> dict[str, Any]:
    """Scores of all splits in domain, and of all out of domain, where the tasks say which are."""
    side = {(t.name, name): "id" for t in tasks for name in t.in_domain}
    side |= {(t.name, name): "ood" for t in tasks for name in t.out_of_domain}
    members = {s: [r for key, rows in records.items() if side.get(key) == s for r in rows] for s in ("id", "ood")}
    return {s: scores(rows) for s, rows in members.items() if rows}


def _failed(split: str, records: Sequence[Record]) -> list[dict[str, Any]]:
    return [
        {"split": split, "id": r.id, "sample": r.sample, "message": "; ".join(r.errors)}
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
        first = error.errors()[0]
        raise InputError(f"{'.'.join(str(x) for x in first['loc'])}: {first['msg']}") from None


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
    folder = embedded_path() if str(model) == EMBEDDED else Path(model).expanduser()
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
