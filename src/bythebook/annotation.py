"""Texts + guideline → grounded annotations, resumable by row.

A document is asked pair by pair; its answers become one prediction, one JSON object:

    schema, id, text, domain        as read; `bythebook.prediction/1`
    entities                        id, start, end, text, type where given
    relations                       head and tail (entity ids), type, `p` where known
    answers                         one a pair: e1, e2 (entity ids), answer, p, status, thinking, completion,
                                    finish_reason, errors
    answer, thinking, completion    of the only pair; null where there are several or none
    status, finish_reason, errors   of all pairs together
    guideline, model, warnings      guideline as name and hash

An answer's status is `ok` if it is one that the guideline admits; otherwise it says why there is none (`no_answer`,
`malformed`, `truncated`; `unscored` where the prompt could not be asked). `p` is the share of samples that gave the
answer, and absent in greedy decoding.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.errors import DataError, InputError
from bythebook.generation import Model, Sampling, load_model
from bythebook.parsing import parse_tagged_answer
from bythebook.prompts import render
from bythebook.readers.documents import RAW_TEXT_REMEDY, Document, document_of, scan_documents
from bythebook.records import PREDICTION_SCHEMA, append_jsonl, drop_own_torn_line, list_errors, read_jsonl, write_jsonl
from bythebook.rewards.r1_re import form_status
from bythebook.schema import Grammar
from bythebook.tasks.documents import guideline_of, pair_examples
from bythebook.types import Completion, Example, Guideline, Label, Parsed

__all__ = ["annotate", "annotate_file"]

_CHUNK = 64
"""Documents annotated at once, unless the model has a `chunk` of its own: what an interruption costs at most."""
_NO_SETTING = 1024
_NAMED_WORDS = 5
_TOO_LONG = "too_long: the prompt does not fit into the model's context"


def annotate(
    texts: Sequence[str | Mapping[str, Any] | Document],
    guideline: Guideline | Path | str,
    *,
    model: Model | Path | str = "embedded",
    samples: int = 0,
    max_distance: int | None = None,
    max_new_tokens: int | None = None,
    batch_size: int = 64,
) -> list[dict[str, Any]]:
    """One prediction a text, in their order; the module says what it holds.

    A text is a sentence with `<e1>…</e1>` and `<e2>…</e2>`, or a document (a dict as on disk, or a `Document`).
    `guideline` may be a file or a name of the library. With `samples` 0 decoding is greedy; otherwise the majority of
    so many samples at temperature 1 is taken. `max_distance` bounds the characters between two mentions of a
    document. DataError for a text that is neither; ModelError, GuidelineError for the others.
    """
    if isinstance(texts, str):
        raise DataError("one text where a list of texts belongs", remedy="put it into a list: [text]")
    book = guideline_of(guideline)
    documents = [_document(row, number) for number, row in enumerate(texts, start=1)]
    loaded = load_model(model) if isinstance(model, (str, Path)) else model
    sampling = _sampling(loaded, samples, max_new_tokens, batch_size)
    return _Annotator(loaded, book, Grammar.of(book), sampling, max_distance).predict(documents)


def annotate_file(
    inputs: Sequence[Path | str] | Path | str,
    output: Path | str,
    guideline: Guideline | Path | str,
    model: Model | Path | str = "embedded",
    *,
    samples: int = 0,
    max_distance: int | None = None,
    max_new_tokens: int | None = None,
    batch_size: int = 64,
    progress: bool = False,
) -> dict[str, Any]:
    """Annotate JSONL or text files into `output`, one prediction a line; rows already there are not asked again.

    Every row that can be read has one line in `output`. `<output>.errors.jsonl`, which each run makes anew, lists the
    rows that could not be annotated: those that can't be read, and those of which no pair got an answer or some pair
    could not be asked. The last are asked again by the next run, unless they are too long. Returns
    `{"written", "kept", "failed", "partial", "output", "errors", "warnings"}`: rows written now, kept from before,
    listed as errors, written now with an answer for some pairs only; the errors file or None. InputError if `output`
    holds something else than predictions of these rows by this model under this guideline; DataError if no row at all
    can be read.
    """
    book, output = guideline_of(guideline), Path(output)
    documents, faults = _read([inputs] if isinstance(inputs, (str, Path)) else inputs)
    name = str(model) if isinstance(model, (str, Path)) else model.name
    kept = _kept(output, book, name, {d.id: d.text for d in documents})
    waiting = [d for d in documents if d.id not in kept]
    tally = _Tally(output, [{"file": str(f.file), "line": f.line, "message": _message(f)} for f in faults])
    tally.errors += [error for error in kept.values() if error]
    _touch(output)
    try:
        if waiting:
            loaded = load_model(model) if isinstance(model, (str, Path)) else model
            append_jsonl(output, [])
            sampling = _sampling(loaded, samples, max_new_tokens, batch_size)
            annotator = _Annotator(loaded, book, Grammar.of(book), sampling, max_distance)
            tally.warn(annotator.guideline_warnings())
            say = _bar(len(waiting)) if progress else None
            for asked in _chunks(documents, kept, loaded):
                tally.take([p for p in annotator.predict(asked) if p["id"] not in kept])
                if say:
                    say(tally.written)
        append_jsonl(output, [])  # a file of no rows, where there was none to ask about
    finally:
        listed = list_errors(output.with_name(output.name + ".errors.jsonl"), tally.errors)
    if progress:
        _say_warnings(list(tally.warnings))
    return {"kept": len(documents) - len(waiting), "errors": str(listed) if listed else None, **tally.summary()}


def _chunks(documents: Sequence[Document], kept: Container[str], model: Model) -> Iterator[Sequence[Document]]:
    """Documents to ask together: a whole chunk as soon as one of its documents is missing, because what is drawn for a
    document depends on what is drawn beside it; a resumed run then writes what an uninterrupted one would have written.
    From a model that asks for each completion by itself the missing ones only."""
    size, separate = getattr(model, "chunk", _CHUNK), getattr(model, "separate", False)
    for start in range(0, len(documents), size):
        chunk = documents[start : start + size]
        missing = [d for d in chunk if d.id not in kept]
        if missing:
            yield missing if separate else chunk


@dataclass
class _Tally:
    """What a run has done so far."""

    output: Path
    errors: list[dict[str, Any]]
    written: int = 0
    partial: int = 0
    warnings: dict[str, None] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        return {
            "written": self.written,
            "failed": len(self.errors),
            "partial": self.partial,
            "output": str(self.output),
            "warnings": list(self.warnings),
        }

    def warn(self, warnings: Sequence[str]) -> None:
        self.warnings.update(dict.fromkeys(warnings))

    def take(self, predictions: Sequence[dict[str, Any]]) -> None:
        """Write them; note what is not annotated."""
        append_jsonl(self.output, predictions)
        failed = [p for p in predictions if not _is_annotated(p)]
        self.errors += map(_error, failed)
        self.written += len(predictions)
        self.partial += sum(p["status"] != "ok" for p in predictions) - len(failed)
        self.warn([warning for p in predictions for warning in p["warnings"]])


def _document(row: str | Mapping[str, Any] | Document, number: int) -> Document:
    if isinstance(row, Document):
        return row
    if not isinstance(row, (str, Mapping)):
        raise DataError(f"text {number} is a {type(row).__name__}", remedy="give a marked sentence or a document")
    document, faults = document_of(row, str(number))
    if document is None:
        remedy = RAW_TEXT_REMEDY if faults[0].startswith("raw text") else None
        raise DataError(f"text {number}: {faults[0]}", remedy=remedy)
    return document


def _message(fault: DataError) -> str:
    return f"{fault.message} ({fault.remedy})" if fault.remedy else fault.message


def _read(inputs: Sequence[Path | str]) -> tuple[list[Document], list[DataError]]:
    documents, faults, seen = list[Document](), list[DataError](), set[str]()
    for path in inputs:
        found, wrong = scan_documents(path)
        faults += wrong
        for document in found:
            if document.id in seen:
                message = f"the id {document.id!r} stands in another file already"
                faults.append(DataError(message, file=path, line=document.line))
            else:
                seen.add(document.id)
                documents.append(document)
    if faults and not documents:
        raise faults[0]
    return documents, faults


def _kept(output: Path, guideline: Guideline, model: str, texts: Mapping[str, str]) -> dict[str, dict[str, Any] | None]:
    """Ids already predicted, each with its line in the errors file or None. Taken away are a last line cut short, and
    every prediction of these texts for which some pair could not be asked, unless it is too long."""
    if not output.exists():
        return {}
    drop_own_torn_line(output, PREDICTION_SCHEMA)
    kept, again = dict[str, dict[str, Any] | None](), set[str]()
    for number, row in read_jsonl(output):
        shown = row.get("guideline")
        other = None
        if not isinstance(shown, dict) or not _is_prediction(row):
            other = "something else than predictions"
        elif shown.get("hash") != guideline.hash:
            other = f"predictions under another guideline ({shown.get('name')})"
        elif row.get("model") != model:
            other = f"predictions of another model ({row.get('model')})"
        elif row["id"] in texts and texts[row["id"]] != row.get("text"):
            other = f"another text under the id {row['id']!r}"
        elif row["id"] in kept:
            other = f"two predictions for the id {row['id']!r}"
        if other:
            raise InputError(f"holds {other}", file=output, line=number, remedy="choose another output")
        kept[row["id"]] = None if _is_annotated(row) else _error(row)
        if row["id"] in texts and any(a.get("errors") != [_TOO_LONG] for a in _unasked(row)):
            again.add(row["id"])
    if again:
        write_jsonl(output, (row for _, row in read_jsonl(output) if row["id"] not in again))
    return {name: error for name, error in kept.items() if name not in again}


def _touch(output: Path) -> None:
    """See whether it can be written, so that this is known before the work and not after it."""
    try:
        append_jsonl(output, [])
        if not output.stat().st_size:
            output.unlink()
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", file=output, remedy="choose another output") from None


def _is_prediction(row: Mapping[str, Any]) -> bool:
    answers, errors = row.get("answers"), row.get("errors")
    lists = isinstance(answers, list) and isinstance(errors, list) and all(isinstance(a, dict) for a in answers)
    return lists and row.get("schema") == PREDICTION_SCHEMA and isinstance(row.get("id"), str)


def _is_annotated(prediction: Mapping[str, Any]) -> bool:
    """Whether there was nothing to ask, or some pair got an answer and every one could be asked."""
    answers = prediction["answers"]
    return not answers or (any(a.get("answer") for a in answers) and not _unasked(prediction))


def _unasked(prediction: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers of pairs whose generation failed."""
    return [a for a in prediction["answers"] if a.get("status") == "unscored"]


def _error(prediction: Mapping[str, Any]) -> dict[str, Any]:
    reasons = "; ".join(dict.fromkeys(map(str, prediction["errors"]))) or "no answer"
    return {
        "id": prediction["id"],
        "status": prediction.get("status"),
        "message": f"{'not asked' if _unasked(prediction) else 'no answer that the guideline admits'}: {reasons}",
    }


def _sampling(model: Model, samples: int, max_new_tokens: int | None, batch_size: int) -> Sampling:
    most = max_new_tokens or model.settings.max_new_tokens or _NO_SETTING
    return Sampling(
        temperature=1.0 if samples else 0.0, n=max(1, samples), max_new_tokens=most, batch_size=max(1, batch_size)
    )


_Asked = tuple[Example, list[Completion]]
"""A question and what the model wrote, once for each sample."""


@dataclass(frozen=True)
class _Annotator:
    """A model that annotates under one guideline."""

    model: Model
    guideline: Guideline
    grammar: Grammar
    sampling: Sampling
    max_distance: int | None

    def predict(self, documents: Sequence[Document]) -> list[dict[str, Any]]:
        questions = [pair_examples(d, self.guideline, self.max_distance) for d in documents]
        prompts = [render(e, self.model.settings.style, self.guideline) for asked in questions for e in asked]
        written = iter(self.model.generate(prompts, self.sampling))
        return [
            self._prediction(document, [(example, next(written)) for example in asked])
            for document, asked in zip(documents, questions, strict=True)
        ]

    def guideline_warnings(self) -> list[str]:
        """Words of the definitions and restrictions that a model of closed vocabulary never saw."""
        relations = self.guideline.relation_types
        texts = [text for r in relations for text in (r.definition, *r.restrictions)]
        unknown = self.model.unknown_words([*texts, self.guideline.no_relation_definition])
        return [f"in the guideline: {self._unknown(unknown)}"] if unknown else []

    def _unknown(self, words: Sequence[str]) -> str:
        named = ", ".join(repr(w) for w in words[:_NAMED_WORDS]) + (" and others" if len(words) > _NAMED_WORDS else "")
        return (
            f"the {'embedded model' if self.model.name == 'embedded' else 'model'} never saw {named}; its answer is "
            "a guess: use a hub model, --model …"
        )

    def _prediction(self, document: Document, asked: Sequence[_Asked]) -> dict[str, Any]:
        answers = [self._answer(example, written) for example, written in asked]
        unknown = self.model.unknown_words([document.text]) if asked else ()
        only = answers[0] if len(answers) == 1 else None
        reasons = {a["finish_reason"] for a in answers}
        return {
            "schema": PREDICTION_SCHEMA,
            "id": document.id,
            "text": document.text,
            "domain": document.domain,
            "entities": [_entity(document, i) for i in range(len(document.entities))],
            "relations": [r for r in map(self._relation, answers) if r],
            "answers": answers,
            **{key: only[key] if only else None for key in ("answer", "thinking", "completion")},
            "status": next((a["status"] for a in answers if a["status"] != "ok"), "ok"),
            "finish_reason": next((r for r in ("error", "length") if r in reasons), "stop"),
            "errors": [error for a in answers for error in a["errors"]],
            "guideline": {"name": self.guideline.title, "hash": self.guideline.hash},
            "model": self.model.name,
            "warnings": [self._unknown(unknown)] if unknown else [],
        }

    def _answer(self, example: Example, written: Sequence[Completion]) -> dict[str, Any]:
        """What was read of one question's completions; of several, the first that gave the majority's answer."""
        read = [parse_tagged_answer(c.text, self.grammar, prefilled=self.model.prefilled) for c in written]
        labels = [self._label(parsed) for parsed in read]
        label = stats.majority(labels)
        place = labels.index(label)
        parsed, completion = read[place], written[place]
        errors = [f"{d.code}: {d.message}" for d in parsed.deviations]
        if completion.finish_reason == "error":
            status, errors = "unscored", [completion.error or _TOO_LONG]
        else:
            status = "ok" if label else form_status(parsed, completion.finish_reason)
        return {
            "e1": example.meta["e1"],
            "e2": example.meta["e2"],
            "answer": label.text if label else None,
            **({} if self.sampling.greedy or label is None else {"p": labels.count(label) / len(labels)}),
            "status": status,
            "thinking": parsed.thinking,
            "completion": completion.text,
            "finish_reason": completion.finish_reason,
            "errors": errors,
        }

    def _label(self, parsed: Parsed) -> Label | None:
        """The single answer; one that the guideline does not declare is none."""
        return parsed.label if parsed.label and self.grammar.knows(parsed.label) else None

    def _relation(self, answer: Mapping[str, Any]) -> dict[str, Any] | None:
        label = self.grammar.read(answer["answer"]) if answer["answer"] else None
        if label is None or label.direction is None:
            return None
        head, tail = ("e1", "e2") if label.direction == "(e1,e2)" else ("e2", "e1")
        relation = {"head": answer[head], "tail": answer[tail], "type": label.name}
        return relation | ({"p": answer["p"]} if "p" in answer else {})


def _entity(document: Document, number: int) -> dict[str, Any]:
    e = document.entities[number]
    return {
        "id": e.id,
        "start": e.span.start,
        "end": e.span.end,
        "text": e.span.of(document.text),
        **({"type": e.type} if e.type else {}),
    }


def _bar(total: int) -> Callable[[int], None]:
    from rich.console import Console

    console = Console(stderr=True)

    def say(done: int) -> None:
        console.print(f"annotated {done}/{total}", highlight=False)

    return say


def _say_warnings(warnings: Sequence[str]) -> None:
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True)
    for warning in warnings[:_NAMED_WORDS]:
        console.print(f"warning: {warning}", highlight=False, markup=False)
    if len(warnings) > _NAMED_WORDS:
        console.print(f"warning: {len(warnings) - _NAMED_WORDS} more like these, beside the annotations")
