"""What an output holds already, and which of it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bythebook.annotation.options import Options
from bythebook.errors import InputError
from bythebook.readers.documents import Document
from bythebook.records import PREDICTION_SCHEMA, append_jsonl, drop_own_torn_line, read_jsonl, write_jsonl
from bythebook.types import Guideline

__all__ = ["TOO_LONG", "error_of", "is_annotated", "kept_rows", "touch"]

TOO_LONG = "too_long: the prompt does not fit into the model's context"


def kept_rows(
    output: Path, guideline: Guideline, model: str, documents: Sequence[Document], options: Options
) -> dict[str, dict[str, Any] | None]:
    """Ids already predicted, each with its line in the errors file or None. Taken away are a last line cut short, and
    every prediction of these documents for which some question could not be asked, unless it is too long.

    InputError, which names the line, if the output holds something else than predictions of these documents, asked the
    same by this model under this guideline.
    """
    if not output.exists():
        return {}
    drop_own_torn_line(output, PREDICTION_SCHEMA)
    texts = {d.id: (d.text, options.sub_task_of(d)) for d in documents}
    kept, again = dict[str, dict[str, Any] | None](), set[str]()
    for number, row in read_jsonl(output):
        other = _other(row, guideline, model, texts) or _otherwise_drawn(row, options)
        if other is None and row["id"] in kept:
            other = f"two predictions for the id {row['id']!r}"
        if other:
            raise InputError(f"holds {other}", file=output, line=number, remedy="choose another output")
        kept[row["id"]] = None if is_annotated(row) else error_of(row)
        if row["id"] in texts and any(a.get("errors") != [TOO_LONG] for a in _unasked(row)):
            again.add(row["id"])
    if again:
        write_jsonl(output, (row for _, row in read_jsonl(output) if row["id"] not in again))
    return {name: error for name, error in kept.items() if name not in again}


def _other(
    row: Mapping[str, Any], guideline: Guideline, model: str, texts: Mapping[str, tuple[str, str]]
) -> str | None:
    """What a row is instead of a prediction that may stay."""
    shown = row.get("guideline")
    if not isinstance(shown, dict) or not _is_prediction(row):
        return "something else than predictions"
    if shown.get("hash") != guideline.hash:
        return f"predictions under another guideline ({shown.get('name')})"
    if row.get("model") != model:
        return f"predictions of another model ({row.get('model')})"
    if row["id"] not in texts:
        return None
    text, sub_task = texts[row["id"]]
    if text != row.get("text"):
        return f"another text under the id {row['id']!r}"
    if sub_task != row.get("sub_task", "label"):
        return f"predictions of another sub-task ({str(row.get('sub_task', 'label'))[:20]}, not {sub_task})"
    return None


def _otherwise_drawn(row: Mapping[str, Any], options: Options) -> str | None:
    """How the answers of a row were drawn, if that is not how they are asked for now."""
    before, now = row.get("decoding") or {}, options.decoding
    if before == now:
        return None
    words = ", ".join(f"{name}: {value}" for name, value in before.items()) if isinstance(before, dict) else "?"
    return f"predictions that were drawn another way ({words[:80] or 'greedily'})"


def touch(output: Path) -> None:
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


def is_annotated(prediction: Mapping[str, Any]) -> bool:
    """Whether there was nothing to ask, or every question could be asked and some got an answer, be it too unsure to
    keep."""
    answers = prediction["answers"]
    answered = any(a.get("answer") or a.get("status") == "abstained" for a in answers)
    return not answers or (answered and not _unasked(prediction))


def _unasked(prediction: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers to questions whose generation failed."""
    return [a for a in prediction["answers"] if a.get("status") == "unscored"]


def error_of(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """The line of the errors file about a prediction without annotation."""
    reasons = "; ".join(dict.fromkeys(map(str, prediction["errors"]))) or "no answer"
    return {
        "id": prediction["id"],
        "status": prediction.get("status"),
        "message": f"{'not asked' if _unasked(prediction) else 'no answer that the guideline admits'}: {reasons}",
    }
