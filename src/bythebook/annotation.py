"""Texts + guideline → grounded annotations, resumable by row.

A document is asked pair by pair; its answers become one prediction. What a prediction holds stands in the design
notes under "On disk"; relations point to entity ids, spans carry their text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import DataError, InputError
from bythebook.generation import Model, Sampling, load_model
from bythebook.parsing import parse_tagged_answer
from bythebook.prompts import render
from bythebook.readers.documents import RAW_TEXT_REMEDY, Document, document_of, scan_documents
from bythebook.records import PREDICTION_SCHEMA, append_jsonl, read_jsonl, write_jsonl
from bythebook.schema import Grammar
from bythebook.tasks.documents import guideline_of, pair_examples
from bythebook.types import Completion, Example, Guideline, Parsed

__all__ = ["annotate", "annotate_file"]

_CHUNK = 64
"""Documents annotated at once: what is lost at most when a run is interrupted."""
_NO_SETTING = 1024


def annotate(
    texts: Sequence[str | Mapping[str, Any]],
    guideline: Guideline | Path | str,
    *,
    model: Model | Path | str = "embedded",
    max_distance: int | None = None,
) -> list[dict[str, Any]]:
    """One prediction a text. A text is a sentence with `<e1>…</e1>` and `<e2>…</e2>`, or a document as a dict.

    `guideline` may be a file or a name of the library. Decoding is greedy. DataError for a text that is neither;
    `max_distance` bounds the characters between two mentions of a document.
    """
    book = guideline_of(guideline)
    documents = []
    for number, row in enumerate(texts, start=1):
        document, faults = document_of(row, str(number), None)
        if document is None:
            remedy = RAW_TEXT_REMEDY if faults[0].startswith("raw text") else None
            raise DataError(f"text {number}: {faults[0]}", remedy=remedy)
        documents.append(document)
    loaded = load_model(model) if isinstance(model, (str, Path)) else model
    return _predict(loaded, documents, book, max_distance)


def annotate_file(
    inputs: Sequence[Path] | Path,
    output: Path,
    guideline: Guideline | Path | str,
    model: Model | Path | str = "embedded",
    *,
    max_distance: int | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Annotate JSONL or text files into `output`, one prediction a line; ids already there are kept, not asked again.

    Rows that can't be annotated are listed in `<output>.errors.jsonl`, made anew by each run. Returns `{"written",
    "kept", "failed", "output", "warnings"}`. InputError if `output` holds predictions under another guideline.
    """
    book = guideline_of(guideline)
    kept = _kept(output, book)
    documents, faults = _read(list(inputs) if not isinstance(inputs, Path) else [inputs])
    waiting = [d for d in documents if d.id not in kept]
    loaded = (load_model(model) if isinstance(model, (str, Path)) else model) if waiting else None
    warnings: dict[str, None] = {}
    say = _bar(len(waiting)) if progress else None
    errors = [{"file": str(f.file), "line": f.line, "message": f.message} for f in faults]
    written = 0
    for start in range(0, len(waiting), _CHUNK):
        assert loaded is not None  # there are documents to ask about
        predictions = _predict(loaded, waiting[start : start + _CHUNK], book, max_distance)
        failed = [p for p in predictions if p["status"] == "error"]
        append_jsonl(output, [p for p in predictions if p["status"] != "error"])
        errors += [{"id": p["id"], "message": "; ".join(p["errors"])} for p in failed]
        written += len(predictions) - len(failed)
        for p in predictions:
            warnings.update(dict.fromkeys(p.get("warnings", ())))
        if say:
            say(min(len(waiting), start + _CHUNK))
    if not output.exists():
        write_jsonl(output, [])
    _list_errors(output.with_name(output.name + ".errors.jsonl"), errors)
    return {
        "written": written,
        "kept": len(documents) - len(waiting),
        "failed": len(errors),
        "output": str(output),
        "warnings": list(warnings),
    }


def _read(inputs: Sequence[Path]) -> tuple[list[Document], list[DataError]]:
    documents: list[Document] = []
    faults: list[DataError] = []
    seen: set[str] = set()
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


def _kept(output: Path, guideline: Guideline) -> set[str]:
    """Ids already predicted. A last line cut short by a crash is taken away."""
    if not output.exists():
        return set()
    raw = output.read_bytes()
    if raw and not raw.endswith(b"\n"):
        output.write_bytes(raw[: raw.rfind(b"\n") + 1])
    kept = set()
    for number, row in read_jsonl(output):
        if row.get("schema") != PREDICTION_SCHEMA or row.get("guideline", {}).get("hash") != guideline.hash:
            raise InputError(
                "holds something else than predictions under this guideline",
                file=output,
                line=number,
                remedy="choose another --output",
            )
        kept.add(str(row["id"]))
    return kept


def _list_errors(path: Path, errors: Sequence[dict[str, Any]]) -> None:
    if errors:
        write_jsonl(path, errors)
    else:
        path.unlink(missing_ok=True)


def _predict(
    model: Model, documents: Sequence[Document], guideline: Guideline, max_distance: int | None
) -> list[dict[str, Any]]:
    questions = [(d, e) for d in documents for e in pair_examples(d, guideline, max_distance)]
    settings = model.settings
    sampling = Sampling(temperature=0.0, max_new_tokens=settings.max_new_tokens or _NO_SETTING, n=1)
    prompts = [render(e, settings.style, guideline) for _, e in questions]
    completions = [drawn[0] for drawn in model.generate(prompts, sampling)]
    grammar = Grammar.of(guideline)
    answered: dict[str, list[tuple[Example, Completion, Parsed]]] = {d.id: [] for d in documents}
    for (document, example), completion in zip(questions, completions, strict=True):
        parsed = parse_tagged_answer(completion.text, grammar, prefilled=model.prefilled)
        answered[document.id].append((example, completion, parsed))
    return [_prediction(d, answered[d.id], guideline, grammar, model) for d in documents]


def _prediction(
    document: Document,
    answered: Sequence[tuple[Example, Completion, Parsed]],
    guideline: Guideline,
    grammar: Grammar,
    model: Model,
) -> dict[str, Any]:
    asked = [_answer(example, completion, parsed, grammar) for example, completion, parsed in answered]
    relations = [a["relation"] for a in asked if a["relation"]]
    unknown = model.unknown_words([document.text])
    prediction: dict[str, Any] = {
        "schema": PREDICTION_SCHEMA,
        "id": document.id,
        "text": document.text,
        "domain": document.domain,
        "entities": [_entity(document, i) for i in range(len(document.entities))],
        "relations": relations,
        "answers": [{k: v for k, v in a.items() if k != "relation"} for a in asked],
        "status": _status(asked),
        "errors": [e for a in asked for e in a["errors"]],
        "guideline": {"name": guideline.title, "hash": guideline.hash},
        "warnings": [_unknown_warning(unknown)] if unknown else [],
    }
    if len(asked) == 1:
        prediction |= {k: asked[0][k] for k in ("answer", "thinking", "completion", "finish_reason")}
    return prediction


def _entity(document: Document, number: int) -> dict[str, Any]:
    e = document.entities[number]
    return {
        "id": e.id,
        "start": e.span.start,
        "end": e.span.end,
        "text": e.span.of(document.text),
        **({"type": e.type} if e.type else {}),
    }


def _answer(example: Example, completion: Completion, parsed: Parsed, grammar: Grammar) -> dict[str, Any]:
    """What was read of one completion. An answer the guideline does not declare is none."""
    label = parsed.label if parsed.label and grammar.knows(parsed.label) else None
    errors = [f"{d.code}: {d.message}" for d in parsed.deviations]
    if completion.finish_reason == "error":
        errors.append("too_long: the prompt does not fit into the model's context")
    first, second = example.meta["e1"], example.meta["e2"]
    relation = None
    if label and label.direction:
        head, tail = (first, second) if label.direction == "(e1,e2)" else (second, first)
        relation = {"head": head, "tail": tail, "type": label.name}
    return {
        "e1": first,
        "e2": second,
        "answer": label.text if label else None,
        "thinking": parsed.thinking,
        "completion": completion.text,
        "finish_reason": completion.finish_reason,
        "errors": errors,
        "relation": relation,
    }


def _status(asked: Sequence[dict[str, Any]]) -> str:
    """`ok` if every pair got an answer of the guideline, `error` if no prompt could be asked, else `partial`."""
    if asked and all(a["finish_reason"] == "error" for a in asked):
        return "error"
    return "ok" if all(a["answer"] for a in asked) else "partial"


def _unknown_warning(words: Sequence[str]) -> str:
    named = ", ".join(repr(w) for w in words[:5]) + (" and others" if len(words) > 5 else "")
    return (
        f"the model never saw {named}: an answer about such a text is a guess. "
        "It knows the words of the procedural world alone; for real text give a hub model with --model"
    )


def _bar(total: int) -> Callable[[int], None]:
    from rich.console import Console

    console = Console(stderr=True)

    def say(done: int) -> None:
        console.print(f"annotated {done}/{total}", highlight=False)

    return say
