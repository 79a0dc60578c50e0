"""Runs of as many documents as a test needs, under the library's SemEval guideline, from seeded draws."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from bythebook.guidelines import keep_guidelines, load_from_library
from bythebook.records import PREDICTION_SCHEMA, Record, write_jsonl
from bythebook.tasks import world

_FIRST = "storm harvest engine potter symphony orchard ledger bridge vaccine glacier poem battery".split()
_SECOND = "flood bakery truck bowl composer village archive river fever valley reader lamp".split()
_FILLER = (
    "which the whole town had been talking about since the early spring",
    "as two of the older neighbours told the paper on the following day",
    "although nobody could say with certainty how it had come to that",
)
_LINKS = ("led to", "was kept inside", "belonged to", "had been made by", "was sent from", "was about")


def many_documents(path: Path, n: int, *, seed: int = 0, text: str | None = None) -> Path:
    """An evaluation of two models on `n` documents, in `path`; `text` is put into everything that has text."""
    rng = random.Random(seed)
    guideline = load_from_library("semeval2010")
    if text:
        relations = tuple(r.model_copy(update={"definition": r.definition + text}) for r in guideline.relation_types)
        guideline = guideline.model_copy(update={"title": text, "preamble": text, "relation_types": relations})
    labels = [label.text for label in guideline.labels]
    keep_guidelines(path, [guideline])
    (path / "records").mkdir(parents=True, exist_ok=True)
    documents = [_document(rng, i, rng.choice(labels), text) for i in range(n)]
    clauses = [line for r in guideline.relation_types for line in (r.definition, *r.restrictions, *r.overlaps)]
    for model, p in (("start", 0.5), ("trained", 0.8)):
        rows = []
        for document in documents:
            answer, status = _answer(rng, document["gold"], labels, p, f"{text or 'Part-Piece'}(e1,e2)")
            reasoning = " ".join([rng.choice(clauses), text or "", "So the answer is clear, given both mentions."])
            finish = "length" if status == "truncated" else "stop"
            fields: dict[str, Any] = {
                **document,
                "schema": PREDICTION_SCHEMA,
                "sample": -1,
                "answer": answer,
                "correct": answer == document["gold"],
                "well_formed": status in ("ok", "wrong"),
                "status": status,
                "value": 3.0 if status == "ok" else -0.5,
                "completion": f"<think>{reasoning}</think><answer>{answer or ''}</answer>",
                "finish_reason": finish,
                "tokens": 40 + rng.randrange(60),
                "guideline": guideline.hash,
                "errors": [text] if text else [],
            }
            rows.append(Record.model_validate(fields))
        write_jsonl(path / "records" / f"{model}.test.jsonl", rows)
    (path / "environment.json").write_text(json.dumps({"python": "3.11", "note": text or "none"}), encoding="utf-8")
    return path


def many_guidelines(path: Path, n: int) -> Path:
    """A run on `n` sentences of the world, each answered by a random label of its own guideline."""
    rng = random.Random(0)
    examples = world.examples("ood", n, seed=0, per_guideline=4)
    keep_guidelines(path, (e.guideline for e in examples))
    rows = []
    for e in examples:
        gold, answer = str(e.gold), rng.choice([label.text for label in e.guideline.labels])
        fields: dict[str, Any] = {
            "schema": PREDICTION_SCHEMA,
            "id": e.id,
            "domain": e.domain,
            "sample": -1,
            "gold": gold,
            "answer": answer,
            "correct": gold == answer,
            "well_formed": True,
            "status": "ok" if gold == answer else "wrong",
            "completion": f"<think>guess</think><answer>{answer}</answer>",
            "text": e.text,
            "entities": [{"id": m.id, "start": m.span.start, "end": m.span.end} for m in e.entities],
            "guideline": e.guideline.hash,
        }
        rows.append(Record.model_validate(fields))
    write_jsonl(path / "records" / "trained.ood.jsonl", rows)
    return path


def _document(rng: random.Random, i: int, gold: str, text: str | None) -> dict[str, Any]:
    first, second = rng.choice(_FIRST), rng.choice(_SECOND)
    start = f"{i + 1}. 𝒯he {rng.choice(('old', 'famous', 'small'))} "
    middle = f", {rng.choice(_FILLER)}, {rng.choice(_LINKS)} the "
    words = f"{start}{first}{middle}{second} {rng.choice(_FILLER)}. {text or ''}"
    second_start = len(start) + len(first) + len(middle)
    return {
        "id": f"doc-{i}" + (text or ""),
        "domain": ("news", "letters")[i % 2],
        "gold": gold,
        "text": words,
        "entities": [
            {"id": "e1", "start": len(start), "end": len(start) + len(first), "type": text},
            {"id": "e2", "start": second_start, "end": second_start + len(second), "type": text},
        ],
        "tags": {"case": text or "plain"},
    }


def _answer(rng: random.Random, gold: str, labels: list[str], p: float, unknown: str) -> tuple[str | None, str]:
    """(answer, status): mostly right, else turned round, another label, nothing, or cut off."""
    if rng.random() < p:
        return (gold, "malformed") if rng.random() < 0.03 else (gold, "ok")
    kind = rng.choice(("turned", "other", "other", "other", "nothing", "cut", "unknown"))
    if kind == "turned" and gold != "Other":
        swapped = {"(e1,e2)": "(e2,e1)", "(e2,e1)": "(e1,e2)"}
        return gold[:-7] + swapped[gold[-7:]], "wrong"
    if kind in ("nothing", "cut"):
        return None, {"nothing": "no_answer", "cut": "truncated"}[kind]
    if kind == "unknown":
        return unknown, "wrong"
    return rng.choice([label for label in labels if label != gold]), "wrong"
