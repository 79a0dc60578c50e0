"""Several sentences of one guideline in one row: the guideline is computed once.

A packed row is the common beginning of its sequences followed by their own parts. A token sees the shared beginning
and, before itself, its own part; positions go on from the shared beginning in every part. Losses and gradients equal
those of the separate sequences (a test holds this).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby
from typing import Any

import torch

__all__ = ["PackedCollator", "chunks", "pack_rows"]

# Shapes: B rows, L tokens of the longest row.

_PADDING = -1


def chunks(keys: Sequence[Hashable], size: int) -> Iterator[list[int]]:
    """Runs of equal neighbouring keys, cut into pieces of at most `size`."""
    for _, run in groupby(range(len(keys)), key=lambda i: keys[i]):
        members = list(run)
        for start in range(0, len(members), size):
            yield members[start : start + size]


def _common_prefix(sequences: Sequence[Sequence[int]], limit: int) -> int:
    first = sequences[0]
    for position in range(limit):
        if any(other[position] != first[position] for other in sequences[1:]):
            return position
    return limit


def pack_rows(
    input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]], keys: Sequence[Hashable], size: int
) -> dict[str, list[list[int]]]:
    """Neighbouring sequences of equal key, up to `size` in a row. Columns `input_ids`, `labels`, `position_ids` and
    `segments` (0 in the shared beginning, 1… in the parts). No token with a label is shared."""
    rows: dict[str, list[list[int]]] = {"input_ids": [], "labels": [], "position_ids": [], "segments": []}
    for members in chunks(keys, size):
        # A part keeps at least the token before its first label, because that token predicts it.
        prompts = [next((i for i, x in enumerate(labels[m]) if x != -100), len(labels[m])) - 1 for m in members]
        shared = _common_prefix([input_ids[m] for m in members], max(0, min(prompts)))
        row = {
            "input_ids": list(input_ids[members[0]][:shared]),
            "labels": [-100] * shared,
            "position_ids": list(range(shared)),
            "segments": [0] * shared,
        }
        for number, m in enumerate(members, start=1):
            row["input_ids"] += input_ids[m][shared:]
            row["labels"] += labels[m][shared:]
            row["position_ids"] += range(shared, len(input_ids[m]))
            row["segments"] += [number] * (len(input_ids[m]) - shared)
        for column, values in row.items():
            rows[column].append(values)
    return rows


class PackedCollator:
    """Packed rows → a batch with an additive attention mask (B, 1, L, L)."""

    def __init__(self, pad_token_id: int) -> None:
        self.pad_token_id = pad_token_id

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        length = max(len(row["input_ids"]) for row in rows)

        def padded(column: str, fill: int) -> torch.Tensor:
            return torch.tensor([row[column] + [fill] * (length - len(row[column])) for row in rows])

        segments = padded("segments", _PADDING)
        before = torch.ones(length, length, dtype=torch.bool).tril()
        same = segments[:, None, :] == segments[:, :, None]
        seen = before & ((segments[:, None, :] == 0) | same)
        mask = torch.zeros(len(rows), 1, length, length)
        mask.masked_fill_(~seen[:, None], torch.finfo(mask.dtype).min)
        return {
            "input_ids": padded("input_ids", self.pad_token_id),
            "labels": padded("labels", -100),
            "position_ids": padded("position_ids", 0),
            "attention_mask": mask,
        }
