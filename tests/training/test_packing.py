from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.prompts import PromptStyle
from bythebook.tasks.world import annotate_as, examples
from bythebook.tasks.world.words import vocabulary
from bythebook.training.data import sft_dataset
from bythebook.training.packing import PackedCollator, pack_rows
from bythebook.training.small_models import SmallModelConfig, build_model, build_tokenizer


def _unpacked(row: dict[str, list[int]]) -> list[tuple[list[int], list[int], list[int]]]:
    """(ids, labels, positions) of every sequence in a packed row."""
    segments = row["segments"]
    shared = segments.count(0)
    out = []
    for number in range(1, max(segments, default=0) + 1):
        own = [i for i, s in enumerate(segments) if s == number]
        picked = [*range(shared), *own]
        out.append(tuple([row[c][i] for i in picked] for c in ("input_ids", "labels", "position_ids")))
    return out


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(1, 9)), min_size=1
    ),
    st.integers(1, 4),
)
def test_unpacking_gives_back_every_sequence_once(drawn: list[tuple[int, list[int], int]], size: int) -> None:
    ids = [tokens for _, tokens, _ in drawn]
    labels = [[-100] * min(cut, len(tokens)) + tokens[cut:] for _, tokens, cut in drawn]
    keys = sorted(key for key, _, _ in drawn)
    rows = pack_rows(ids, labels, keys, size)
    back = [
        sequence
        for i in range(len(rows["input_ids"]))
        for sequence in _unpacked({column: values[i] for column, values in rows.items()})
    ]
    assert [tokens for tokens, _, _ in back] == ids
    assert [kept for _, kept, _ in back] == labels
    assert all(positions == list(range(len(tokens))) for tokens, _, positions in back)


@pytest.mark.parametrize("lookup_heads", [True, False])
def test_loss_and_gradient_of_packed_rows_equal_those_of_separate_sequences(lookup_heads: bool) -> None:
    tokenizer = build_tokenizer(vocabulary())
    model = build_model(SmallModelConfig(lookup_heads=lookup_heads), tokenizer, seed=0)
    sentences = examples("fresh", 12, seed=1, k=(2, 8), per_guideline=4)
    style = PromptStyle(template="short", rendering="rules")

    def loss_and_gradient(per_row: int) -> tuple[float, torch.Tensor, int]:
        rows = sft_dataset(
            sentences,
            tokenizer,
            style,
            lambda e, r: annotate_as("careful", e, r),
            0,
            prefilled=False,
            sentences_per_row=per_row,
        )
        packed = pack_rows(rows["input_ids"], rows["labels"], range(len(rows)), 1) if per_row == 1 else rows.to_dict()
        batch = PackedCollator(tokenizer.pad_token_id)(
            [{c: packed[c][i] for c in packed} for i in range(len(packed["input_ids"]))]
        )
        labels = batch.pop("labels")
        model.zero_grad()
        logits = model(**batch).logits
        wanted = labels[:, 1:] != -100
        loss = torch.nn.functional.cross_entropy(logits[:, :-1][wanted], labels[:, 1:][wanted])
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        return loss.item(), gradient, batch["input_ids"].numel()

    separate, g1, forwarded = loss_and_gradient(1)
    together, g2, fewer = loss_and_gradient(4)
    assert together == pytest.approx(separate, rel=1e-5)
    assert ((g1 - g2).norm() / g1.norm()).item() < 1e-4
    assert fewer < forwarded


def test_targets_are_learnt_alone_and_end_with_the_end_token() -> None:
    tokenizer = build_tokenizer(vocabulary())
    sentences = examples("id", 3, seed=2)
    rows = sft_dataset(
        sentences,
        tokenizer,
        PromptStyle(template="short", rendering="rules"),
        lambda e, r: annotate_as("careful", e, r),
        0,
        prefilled=False,
    )
    rng = random.Random(0)
    for e, ids, labels in zip(sentences, rows["input_ids"], rows["labels"], strict=True):
        kept = [t for t in labels if t != -100]
        assert ids[-len(kept) :] == kept
        assert kept[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(kept[:-1]) == annotate_as("careful", e, rng)
