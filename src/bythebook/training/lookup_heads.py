"""Attention heads put in by hand, so that a tiny model can look things up in a guideline.

A model of this size does not find the two hops verb → line → label by itself in any budget we could spend, so we give
it the two kinds of head of which induction is made, and let training do the rest:

layer 0   head of offset j attends to the token j places back and writes a code of it into a subspace of its own;
layer 1   head (a, b, c) attends where the token b before the key equals the token a before the query, and copies the
          token c before the key to the output.

The heads of `RULE_LOOKUP` depend on the one-line rules of the `rules` rendering, `- Dima-Dan(e2,e1): e1 orders e2
unless clearly.`: from the verb, the two halves of the label lie 5 and 4 tokens back. This is said in the model card.
Those of `QUOTE_LOOKUP` depend on the lines of the `brief` rendering under codes, and on reasoning that quotes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import LlamaForCausalLM

__all__ = ["PLANS", "QUOTE_LOOKUP", "RULE_LOOKUP", "LookupPlan", "install_lookup_heads"]

# Shapes: D hidden size, d head size, C code size, R rotary pairs of a head (d / 2).

_CODE_GAIN_IN, _CODE_GAIN_OUT = 0.3, 0.35
_OTHER_WEIGHTS = 0.1
_POSITION_BIAS, _FIRST_POSITION_BIAS, _POSITION_PAIRS = 6.0, 5.0, 3
_SLOW_PAIR = 0.03
"""Rotary pairs that turn more slowly than this, in radians a token, compare content almost without position."""


@dataclass(frozen=True)
class LookupPlan:
    """Which heads to install."""

    offsets: tuple[int, ...]
    matches: tuple[tuple[int, int, int], ...]
    """(a, b, c) of each layer-1 head."""
    prefer_after: str
    """Heads that match on the verb itself prefer keys preceded by this token: those inside a rule."""
    preferring: tuple[int, ...]
    """Which of `matches` do."""
    prefer_back: tuple[int, ...] = ()
    """How many tokens before the key that token stands, for each of them; empty: right before it."""
    match_gain: float = 4.0
    code_size: int = 32


RULE_LOOKUP = LookupPlan(
    offsets=(1, 2, 3, 4, 5),
    matches=(
        (0, 0, 5),  # verb → first half of the label
        (1, 0, 4),  # verb one back → second half
        (0, 1, 0),  # induction
        (1, 2, 0),  # first half one back → direction
        (3, 2, 0),  # verb three back → what follows "e2": `unless` or `.`
        (4, 3, 0),  # verb four back → the exception
        (0, 0, 1),  # is this verb in a rule at all? then " e1" stands before it there; else it finds itself alone
    ),
    prefer_after=" e1",
    preferring=(0, 1),
)

QUOTE_LOOKUP = LookupPlan(
    offsets=(2, 3, 4, 5),
    matches=(
        (4, 0, 4),  # at the R of the answer: second word quoted → first digit of its line
        (3, 0, 5),  # third word → first digit
        (5, 0, 3),  # one token later: second word → second digit
        (4, 0, 4),  # third word → second digit
    ),
    prefer_after=":",  # the line's, not that in the quotation itself
    preferring=(0, 1, 2, 3),
    prefer_back=(2, 3, 2, 3),
    match_gain=2.0,
)
"""For `- R46: the cause brings about …` and `<think>the cause brings</think><answer>R46(e1,e2)`: codes of two digits,
definitions whose second and third words are single tokens."""

TABLE_LOOKUP = LookupPlan(
    offsets=(1, 2, 4, 5),
    matches=(
        (1, 2, 0),  # a thing, one back → the second cell of its row
        (1, 4, 0),  # → the third
        (1, 0, 4),  # a number, one back → the thing in its row
        (1, 0, 0),  # is this word in the table, and how often?
        (0, 0, 4),  # where the answer begins: the last word of the note, four back
        (0, 0, 5),  # in a fence five
    ),
    prefer_after="?",  # no head prefers any key
    preferring=(),
)
"""For small tables in Markdown or CSV whose cells and what stands between them are single tokens."""

PLANS = {"rules": RULE_LOOKUP, "quotes": QUOTE_LOOKUP, "tables": TABLE_LOOKUP}


def _subspaces(hidden: int, plan: LookupPlan, generator: torch.Generator) -> dict[int, torch.Tensor]:
    """One (C, D) projection for the token itself (0) and each offset; orthogonal within, random between."""
    return {
        j: torch.linalg.qr(torch.randn(hidden, plan.code_size, generator=generator))[0].T.contiguous()
        for j in (0, *plan.offsets)
    }


def install_lookup_heads(model: LlamaForCausalLM, plan: LookupPlan, preferred_token: int, seed: int) -> None:
    """Write the heads into layers 0 and 1 of a freshly initialised model, in place.

    Raises ValueError if the model has too few heads or layers, or heads smaller than the code.
    """
    config: Any = model.config
    heads, d = config.num_attention_heads, config.head_dim
    if config.num_hidden_layers < 3 or max(len(plan.offsets), len(plan.matches)) > heads or plan.code_size > d:
        raise ValueError(f"the plan needs 3 layers and {len(plan.matches)} heads of at least {plan.code_size}")
    if config.num_key_value_heads != heads:
        raise ValueError("the plan needs as many key/value heads as query heads")
    generator = torch.Generator().manual_seed(seed)
    subspace = _subspaces(config.hidden_size, plan, generator)
    pairs = torch.arange(0, d // 2).float()
    frequency = config.rope_parameters["rope_theta"] ** (-pairs * 2 / d)  # (R,)
    with torch.no_grad():
        for head, offset in enumerate(plan.offsets):
            _offset_head(model, head, offset, subspace, frequency, plan.code_size)
        for head, match in enumerate(plan.matches):
            _match_head(model, head, match, subspace, frequency, plan)
        embedding = model.model.embed_tokens.weight[preferred_token]  # (D,)
        for head, back in zip(plan.preferring, plan.prefer_back or [1] * len(plan.preferring), strict=True):
            _prefer(model, head, back, embedding, subspace, frequency, plan)


def _head_size(model: LlamaForCausalLM) -> int:
    config: Any = model.config
    return int(config.head_dim)


def _slices(model: LlamaForCausalLM, layer: int, head: int) -> tuple[Any, slice]:
    d = _head_size(model)
    layers: Any = model.model.layers
    return layers[layer].self_attn, slice(head * d, (head + 1) * d)


def _copy(attention: Any, rows: slice, code: int, source: torch.Tensor, target: torch.Tensor) -> None:
    """The head's value reads the code in `source` (C, D), its output writes it into `target` (C, D)."""
    first = slice(rows.start, rows.start + code)
    attention.v_proj.weight[rows] = 0
    attention.v_proj.weight[first] = _CODE_GAIN_IN * source
    attention.o_proj.weight[:, rows] = 0
    attention.o_proj.weight[:, first] = _CODE_GAIN_OUT * target.T


def _offset_head(
    model: LlamaForCausalLM,
    head: int,
    offset: int,
    subspace: dict[int, torch.Tensor],
    frequency: torch.Tensor,
    code: int,
) -> None:
    """Biases on the fastest rotary pairs, turned by `offset` on the key side: the score peaks `offset` tokens back."""
    attention, rows = _slices(model, 0, head)
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight[rows] *= _OTHER_WEIGHTS
    bias = torch.zeros_like(frequency)
    bias[:_POSITION_PAIRS] = _POSITION_BIAS
    bias[0] = _FIRST_POSITION_BIAS
    attention.q_proj.bias[rows] = torch.cat([bias, torch.zeros_like(bias)])
    turned = [bias * torch.cos(offset * frequency), bias * torch.sin(offset * frequency)]
    attention.k_proj.bias[rows] = torch.cat(turned)
    _copy(attention, rows, code, subspace[0], subspace[offset])


def _slow_rows(frequency: torch.Tensor, head: int, d: int, code: int) -> torch.Tensor:
    """Rows of a head's query and key that lie on slow rotary pairs, at most `code` of them."""
    slow = torch.nonzero(frequency < _SLOW_PAIR)[:, 0]
    return head * d + torch.cat([slow, slow + d // 2])[:code]


def _match_head(
    model: LlamaForCausalLM,
    head: int,
    match: tuple[int, int, int],
    subspace: dict[int, torch.Tensor],
    frequency: torch.Tensor,
    plan: LookupPlan,
) -> None:
    """Query reads the code of token q-a, key that of token k-b, both on slow pairs; the value is token k-c."""
    a, b, c = match
    attention, rows = _slices(model, 1, head)
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight[rows] *= _OTHER_WEIGHTS
    slow = _slow_rows(frequency, head, _head_size(model), plan.code_size)
    attention.q_proj.weight[slow] += plan.match_gain * subspace[a][: len(slow)]
    attention.k_proj.weight[slow] += plan.match_gain * subspace[b][: len(slow)]
    _copy(attention, rows, plan.code_size, subspace[c], subspace[0])


def _prefer(
    model: LlamaForCausalLM,
    head: int,
    back: int,
    embedding: torch.Tensor,
    subspace: dict[int, torch.Tensor],
    frequency: torch.Tensor,
    plan: LookupPlan,
) -> None:
    """A query bias that scores keys by the token before them: without it the head finds the query itself."""
    attention, _ = _slices(model, 1, head)
    slow = _slow_rows(frequency, head, _head_size(model), plan.code_size)
    direction = (subspace[0] @ embedding)[: len(slow)]
    attention.q_proj.bias[slow] += 5.0 * direction / direction.norm()
    attention.k_proj.weight[slow] += plan.match_gain * subspace[back][: len(slow)]
