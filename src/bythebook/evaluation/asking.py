"""A model is asked about examples, and every answer becomes a record; resumable row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bythebook.errors import DataError, InputError
from bythebook.evaluation.judged import TOO_LONG, gold_in_record, judged
from bythebook.evaluation.scoring import GREEDY
from bythebook.generation import Constraint, Model, Sampling, generate_constrained
from bythebook.prompts import PromptStyle, render
from bythebook.records import Record, append_jsonl, drop_torn_line, read_records, write_jsonl
from bythebook.rewards import TextReward, reward
from bythebook.rewards.circuits import check_ahead, need_for
from bythebook.rewards.forms import FORM_OF, Form
from bythebook.schema import gold_of
from bythebook.tasks.pictures import with_picture
from bythebook.types import Completion, Example, Guideline

__all__ = ["evaluate_examples"]

_REWARD_OF: dict[Form, str] = {
    "label": "r1_re",
    "extraction": "r2grpo",
    "answer": "free_answer",
    "table": "table_r1",
    "key_values": "medical_vie",
    "circuit": "codev_r1",
}
"""The reward of each form of answer, unless another is given."""


_CHUNK = 256
"""Examples asked at once, unless the model has a `chunk` of its own: what is lost at most by an interruption."""


def evaluate_examples(
    model: Model,
    examples: Sequence[Example],
    *,
    style: PromptStyle,
    sampling: Sampling,
    greedy: bool = True,
    samples: int = 4,
    reward_name: str | None = None,
    guideline_of: Callable[[Example], Guideline] | None = None,
    resume_path: Path | None = None,
    keep_text: bool = True,
    constrained: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Record]:
    """Ask the model about every example: once greedily (sample -1) and `samples` times at `sampling.temperature`.

    `guideline_of` shows another guideline than the example's own; gold stays the example's. `constrained` binds
    decoding to the schema of the one shown. With `resume_path`, records already there (same id, sample and guideline
    shown) are kept and every new one is appended as soon as it is made; a last one cut short by a crash and failed ones
    are made again, so that a resumed run gives what an uninterrupted one would have given. DataError if two examples
    have one id; InputError: samples at temperature 0, pictures for a blind model, another text or gold under an old id.
    """
    _refuse(model, examples, samples, sampling)
    judge_of = _judges(examples, reward_name, prefilled=model.prefilled, tags=style.tags)
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
            asked = [(e, guideline_of(e) if guideline_of else e.guideline) for e in (missing if separate else chunk)]
            written = _written(model, asked, style, ask, constrained, judge_of)
            fresh = [
                judged(e, g, n, c, judge_of[_form(e)], keep_text, constrained)
                for (e, g), completions in zip(asked, written, strict=True)
                for n, c in zip(drawn, completions, strict=True)
                if (e.id, n) not in kept
            ]
            kept |= {(r.id, r.sample): r for r in fresh}
            if resume_path is not None and fresh:
                append_jsonl(resume_path, fresh)
        if progress:
            progress(start + len(chunk), len(examples))
    return [kept[e.id, n] for e in examples for n in numbers]


def _written(
    model: Model,
    asked: Sequence[tuple[Example, Guideline]],
    style: PromptStyle,
    sampling: Sampling,
    constrained: bool,
    judge_of: Mapping[Form, TextReward],
) -> list[list[Completion]]:
    """What the model writes on each example under the guideline shown. Circuits are checked, which is faster for many
    together."""
    prompts = [with_picture(e, render(e, style, g)) for e, g in asked]
    if constrained:
        bound = [Constraint.of(e, g, style.tags) for e, g in asked]
        return generate_constrained(model, prompts, sampling, bound)
    written = model.generate(prompts, sampling)
    if "circuit" in judge_of:
        rows = zip(asked, written, strict=True)
        check_ahead(judge_of["circuit"], ((c.text, gold_of(e)) for (e, _), found in rows for c in found))
    return written


def _form(example: Example) -> Form:
    if example.sub_task == "label":
        return "label"
    if example.sub_task == "key_values":
        return "key_values"
    if example.sub_task == "question":
        return FORM_OF.get(type(gold_of(example)), "answer")
    return "extraction"


def _judges(examples: Sequence[Example], name: str | None, *, prefilled: bool, tags: str) -> dict[Form, TextReward]:
    """The reward of each form of answer that is asked for."""
    forms = dict.fromkeys(_form(e) for e in examples)
    return {form: reward(name or _REWARD_OF[form], prefilled=prefilled, tags=tags) for form in forms}


def _refuse(model: Model, examples: Sequence[Example], samples: int, sampling: Sampling) -> None:
    if any(e.picture for e in examples) and not getattr(model, "sees", False):
        remedy = "name a model that reads pictures (image-text-to-text), or leave out images"
        raise InputError(f"the examples have pictures, and {model.name!r} reads text alone", remedy=remedy)
    twice = [name for name, count in Counter(e.id for e in examples).items() if count > 1]
    if twice:
        raise DataError(f"two examples have the id {twice[0]!r}", remedy="give every row an id of its own")
    need_for(examples)
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
    whole = [r for r in records if r.finish_reason != "error" or r.errors == (TOO_LONG,)]
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
        same_gold = r.gold == gold_in_record(e, shown[e.id], keep_text=r.text is not None)
        if not same_gold or r.text not in (None, e.text):
            other = f"another {'text' if same_gold else 'gold'} under the id {e.id!r}"
            raise InputError(f"holds an answer for {other}", file=path, remedy="choose another output")
    return found
