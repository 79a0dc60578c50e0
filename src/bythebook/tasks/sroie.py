"""SROIE: the four keys of a receipt, read from its recognised lines (arXiv 2103.10213).

Efficient Medical VIE (arXiv 2506.13363) has it as a test out of domain. Lines stand in the order of the files, without
their boxes; `keys: subset` asks in training for a random part of the keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.key_values import KeyedDocument
from bythebook.readers.sroie import Receipt, read_sroie
from bythebook.schema.key_values import Key, KeySchema
from bythebook.tasks.base import Task
from bythebook.tasks.key_values import AskedKeys, asked_keys, document_example, values_alone, values_with_lines
from bythebook.types import Example

__all__ = ["KEYS", "TASK", "check", "load"]

KEYS = KeySchema(
    keys=(
        Key(name="company", description="the shop or firm that gave the receipt, with its legal form"),
        Key(name="date", description="the day of the purchase, in the form in which it is printed"),
        Key(name="address", description="where the shop is: all address lines joined by one space"),
        Key(name="total", description="the amount to pay in the end, rounding and tax included, without the currency"),
    )
)
"""Descriptions in our own words; the release has names alone."""


def load(path: Path | str | None, keys: AskedKeys = "all", draws: int = 1, seed: int = 0) -> dict[str, list[Example]]:
    """`train` and `test`, as the numbers of the receipts say. DataError for a fault in the files and a missing path;
    `keys`, `draws` and `seed` as in `tasks.key_values`."""
    if path is None:
        raise DataError("the task sroie reads a path", remedy="--path FOLDER with `box` and `key`")
    faults = Faults()
    receipts = read_sroie(path, faults)
    faults.refuse()
    rows: dict[str, list[Example]] = {}
    for receipt in receipts:
        rows.setdefault(receipt.split, []).append(document_example(_document(receipt), "sroie", receipt.split))
    return asked_keys(rows, keys, draws, seed)


def _document(receipt: Receipt) -> KeyedDocument:
    return KeyedDocument(
        id=receipt.id,
        lines=tuple(line.text for line in receipt.lines),
        title="Receipt",
        key_schema=KEYS,
        values=None if receipt.values is None else dict(receipt.values),
        domain="receipts",
    )


def check(path: Path | str) -> dict[str, Any]:
    """Receipts by split, every fault, and under `counts` how many lines and keys each split has."""
    faults = Faults()
    found: dict[str, list[Receipt]] = {}
    for receipt in read_sroie(path, faults):
        found.setdefault(receipt.split, []).append(receipt)
    counts = {
        split: {
            "lines": sum(len(r.lines) for r in receipts),
            "annotated": sum(r.values is not None for r in receipts),
            **{key: sum(key in (r.values or {}) for r in receipts) for key in KEYS.names},
        }
        for split, receipts in found.items()
    }
    return {**faults.beside(found), "counts": counts}


TASK = Task(
    name="sroie",
    summary="company, date, address and total of receipts, from recognised lines (SROIE)",
    load=load,
    needs_path=True,
    check=check,
    targets={"answer": values_alone, "lines": values_with_lines},
    licensed=True,
    in_domain=("test",),
)
