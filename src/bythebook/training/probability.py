"""RLPR's extra forward pass: log-probs of reference answers in the place of what the model answered.

All rows go through the engine together, with their reasoning and without: what prompts have in common, the guideline
above all, is computed once a pack, and so is each prompt and the reasoning of each completion. Rows end with their last
token of the reference, since nothing behind it is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bythebook.generation.shared.interface import shared_attention_in
from bythebook.generation.shared.serving import is_served
from bythebook.parsing.splice import Splice, splice_reference
from bythebook.parsing.tag_sets import TagSet
from bythebook.parsing.token_spans import OffsetEncoder, token_span
from bythebook.training.log_probs import evaluating, side_by_side
from bythebook.training.shared_prefix import PackScorer

__all__ = ["ReasonedAndBare", "ReferenceLogProbs", "log_probs_of_references", "reasoned_and_bare"]

# Shapes: B completions, T tokens of the longest reference answer, R rows that can be scored, V vocabulary.


class ReferenceLogProbs(NamedTuple):
    """Of the tokens that have a character of the reference, without gradient."""

    log_probs: Tensor
    """(B, T), 0 outside the mask; one NaN in the mask where there is a splice that can't be scored: it is longer than
    the model's context, or the tokenizer drops its reference."""
    mask: Tensor
    """(B, T) of bool; nothing where there is no splice."""


class ReasonedAndBare(NamedTuple):
    """The same references behind the reasoning of each completion, and without any."""

    reasoned: ReferenceLogProbs
    bare: ReferenceLogProbs


class _Row(NamedTuple):
    number: int
    """Of the completion."""
    ids: list[int]
    """Prompt and spliced completion, up to the last token of the reference."""
    first: int
    """Place of the first token of the reference."""


def reasoned_and_bare(
    model: Any,
    encoder: OffsetEncoder,
    prompts: Sequence[Sequence[int]],
    completions: Sequence[str],
    references: Sequence[str],
    tags: TagSet,
    *,
    prefilled: bool = False,
    **how: Any,
) -> ReasonedAndBare:
    """What r and r′ of RLPR are computed from, in one pass: B prompts (token ids), completions and reference answers.

    A completion that can't be spliced has no token in either mask, and so the score 0. `how`: the options of
    `log_probs_of_references`. ValueError where the three are not equally many.
    """
    answered = list(zip(completions, references, strict=True))
    splices = [
        splice_reference(text, reference, tags, prefilled=prefilled, thinking=thinking)
        for thinking in (True, False)
        for text, reference in answered
    ]
    if len(prompts) != len(answered):
        raise ValueError(f"{len(prompts)} prompts for {len(answered)} completions")
    found = log_probs_of_references(model, encoder, [*prompts, *prompts], splices, **how)
    halves = zip(found.log_probs.split(len(answered) or 1), found.mask.split(len(answered) or 1), strict=True)
    parts = [ReferenceLogProbs(*half) for half in halves]
    return ReasonedAndBare(parts[0], parts[-1])


def log_probs_of_references(
    model: Any,
    encoder: OffsetEncoder,
    prompts: Sequence[Sequence[int]],
    splices: Sequence[Splice | None],
    *,
    temperature: float = 1.0,
    inner: Any = None,
    pack_tokens: int | None = None,
    share_prefix: bool = True,
) -> ReferenceLogProbs:
    """Log-probs at `temperature` (RLPR: that of the rollouts) of the references in B spliced completions, each behind
    its prompt (token ids).

    `inner` is `model` without the wrapper of several processes (None: it has none); `pack_tokens` bounds the distinct
    tokens of one forward pass. Without `share_prefix`, and where the engine doesn't serve the model, every row is
    computed by itself. ValueError where prompts and splices are not equally many.
    """
    inner = model if inner is None else inner
    rows, failed = _rows(encoder, prompts, splices, _context(inner))
    device = next(inner.parameters()).device
    width = max([1, *(len(row.ids) - row.first for row in rows)])
    log_probs = torch.zeros(len(splices), width)
    mask = torch.zeros(len(splices), width, dtype=torch.bool)
    log_probs[failed, 0], mask[failed, 0] = torch.nan, True
    if rows:
        with torch.no_grad(), evaluating(model):
            if share_prefix and is_served(inner):
                found = _shared(model, inner, rows, temperature, pack_tokens, device)
            else:
                found = [_alone(model, inner, row, temperature, device) for row in rows]
        for row, values in zip(rows, found, strict=True):
            log_probs[row.number, : len(values)] = values.float().cpu()
            mask[row.number, : len(values)] = True
    return ReferenceLogProbs(log_probs.to(device), mask.to(device))


def _rows(
    encoder: OffsetEncoder, prompts: Sequence[Sequence[int]], splices: Sequence[Splice | None], context: int
) -> tuple[list[_Row], list[int]]:
    """(rows, numbers of splices of which none can be made)."""
    given = [(n, p, s) for n, (p, s) in enumerate(zip(prompts, splices, strict=True)) if s is not None]
    rows, failed = [], []
    for (number, prompt, splice), encoded in zip(given, encoder(s.text for _, _, s in given), strict=True):
        span = token_span(encoded.offsets, splice.span)
        first, end = len(prompt) + span.start, len(prompt) + span.stop
        if span and first > 0 and end <= context:
            rows.append(_Row(number, [*prompt, *encoded.ids[: span.stop]], first))
        else:
            failed.append(number)
    return rows, failed


def _context(model: Any) -> int:
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2**62


def _shared(
    model: Any, inner: Any, rows: Sequence[_Row], temperature: float, pack_tokens: int | None, device: torch.device
) -> list[Tensor]:
    """Log-probs of each row's reference, over packs."""
    asked = side_by_side([(row.ids[: row.first], row.ids[row.first :]) for row in rows], device)
    with shared_attention_in(inner):
        found, _ = PackScorer(pack_tokens).score(model, inner, asked, temperature, entropy_gradient=False)  # (R, T)
    return [values[: len(row.ids) - row.first] for values, row in zip(found, rows, strict=True)]


def _alone(model: Any, inner: Any, row: _Row, temperature: float, device: torch.device) -> Tensor:
    """Log-probs of one row's reference, its whole prompt computed."""
    ids = torch.tensor([row.ids], device=device)
    wanted = len(row.ids) - row.first
    # The last position predicts what comes after the reference.
    can_leave_out = "logits_to_keep" in inspect.signature(inner.forward).parameters
    fewer: dict[str, Any] = {"logits_to_keep": wanted + 1} if can_leave_out else {}
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False, **fewer).logits
    log_p = (logits[0, -wanted - 1 : -1].float() / temperature).log_softmax(dim=-1)  # (wanted, V)
    chosen: Tensor = log_p.gather(-1, ids[0, row.first :].unsqueeze(-1)).squeeze(-1)
    return chosen
