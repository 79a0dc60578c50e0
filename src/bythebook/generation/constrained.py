"""Decoding under a grammar, with xgrammar: before a token is drawn, those that the grammar does not admit get the
probability 0. Every row has a matcher of its own, which reads what the row writes.

xgrammar: Dong et al. 2024 (arXiv 2411.15100).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from transformers import LogitsProcessor

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation.constraint import Constraint

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["Grammars", "GuidedLogits", "Matchers"]

# Shapes: R rows (one a completion), C cells of a step, each a row or a hole, V vocabulary.

_CACHE = 2**30
"""Bytes of compiled grammars that are kept."""


class Grammars:
    """Constraints compiled for one tokenizer, each once."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        vocabulary: int,
        stop_ids: Sequence[int],
        prefilled: bool,
    ) -> None:
        """`vocabulary` is V, the width of the model's logits; `name` the model's in messages. MissingExtraError without
        xgrammar; ModelError for a tokenizer that it can't read, or without a token that ends a completion."""
        try:
            import xgrammar
        except ImportError:
            raise MissingExtraError("constrained decoding", "constrained") from None
        self._xgrammar: Any = xgrammar
        self._name, self._prefilled, self.vocabulary = name, prefilled, vocabulary
        if not stop_ids:
            remedy = "name one as eos_token in tokenizer_config.json"
            raise ModelError(f"the model {name!r} has no token that ends a completion", remedy=remedy)
        self._tokens = self._texts_of(tokenizer, stop_ids)
        info = self._xgrammar.TokenizerInfo(self._tokens, vocab_size=vocabulary, stop_token_ids=list(stop_ids))
        threads = max(1, min(8, os.cpu_count() or 1))
        self._compiler: Any = self._xgrammar.GrammarCompiler(info, max_threads=threads, cache_limit_bytes=_CACHE)
        self._known: set[str] = set()

    def matchers(self, constraints: Iterable[Constraint | None], max_new_tokens: int) -> Matchers:
        """A matcher for each row, None where nothing constrains it. ModelError for texts that the vocabulary can't
        write."""
        kept: dict[int, Any] = {}
        found: list[Any] = []
        for one in constraints:
            if one is None:
                found.append(None)
                continue
            if id(one) not in kept:
                kept[id(one)] = self._compiled(one, max_new_tokens)
            found.append(self._xgrammar.GrammarMatcher(kept[id(one)]))
        return Matchers(self._xgrammar, found, self.vocabulary, self._name)

    def _compiled(self, constraint: Constraint, max_new_tokens: int) -> Any:
        form = json.dumps(constraint.structural_tag(prefilled=self._prefilled, max_new_tokens=max_new_tokens))
        if form not in self._known:
            self._check(constraint)
            self._known.add(form)
        return self._compiler.compile_structural_tag(form)

    def _texts_of(self, tokenizer: PreTrainedTokenizerBase, stop_ids: Sequence[int]) -> list[bytes]:
        """(V,): what each token adds to a text. Special tokens add nothing, since they are left out of completions:
        without a text they are never admitted."""
        try:
            info = self._xgrammar.TokenizerInfo.from_huggingface(
                tokenizer, vocab_size=self.vocabulary, stop_token_ids=list(stop_ids)
            )
        except (RuntimeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(f"the tokenizer of {self._name!r} can't be constrained: {reason}") from None
        texts: list[bytes] = info.decoded_vocab
        for special in set(tokenizer.all_special_ids) - set(stop_ids):
            if special < len(texts):
                texts[special] = b""
        return texts

    def _check(self, constraint: Constraint) -> None:
        """ModelError for a tag or label that no tokens make up."""
        tokens = frozenset(self._tokens)
        longest = max(map(len, tokens))
        for text in constraint.fixed_texts():
            if not _is_written_with(tokens, longest, text.encode()):
                raise ModelError(
                    f"the vocabulary of {self._name!r} can't write {text!r}, which the answer may have to hold",
                    remedy="use a model with a larger vocabulary, or decode without the constraint",
                )


class Matchers:
    """The matchers of R rows: what each may write next."""

    def __init__(self, xgrammar: Any, matchers: Sequence[Any | None], vocabulary: int, name: str) -> None:
        self._xgrammar, self._matchers, self._vocabulary, self._name = xgrammar, matchers, vocabulary, name
        self._together: Any = xgrammar.BatchGrammarMatcher()

    def restrict(self, scores: Tensor, rows: Sequence[int]) -> Tensor:
        """(C, V): the scores, with -inf for tokens that are not admitted; cell i is row `rows[i]`, or a hole where that
        is -1. Rows without a matcher, or that are finished, keep theirs. ModelError where nothing is admitted."""
        cells = [cell for cell, row in enumerate(rows) if row >= 0 and self._is_open(row)]
        if not cells:
            return scores
        admitted = self._xgrammar.allocate_token_bitmask(len(rows), self._vocabulary)
        matchers = [self._matchers[rows[cell]] for cell in cells]
        self._together.batch_fill_next_token_bitmask(matchers, admitted, cells)
        if bool((admitted == 0).all(dim=-1).any()):
            raise ModelError(
                f"the vocabulary of {self._name!r} has no token to go on with an answer of the schema",
                remedy="use a model with a larger vocabulary, or decode without the constraint",
            )
        restricted = scores.clone()
        self._xgrammar.apply_token_bitmask_inplace(restricted, admitted.to(scores.device), vocab_size=scores.shape[-1])
        return restricted

    def wrote(self, row: int, token: int) -> None:
        """A row has a new token. ModelError for one that was not admitted: it was drawn from what is no number."""
        if self._is_open(row) and not cast(Any, self._matchers[row]).accept_token(token):
            remedy = "its weights are broken, or its dtype is too narrow"
            raise ModelError("what the model puts out is not a number", remedy=remedy)

    def _is_open(self, row: int) -> bool:
        matcher = self._matchers[row]
        return matcher is not None and not matcher.is_terminated()


class GuidedLogits(LogitsProcessor):
    """The matchers of a batch within `generate` of transformers, for one call."""

    def __init__(self, matchers: Matchers) -> None:
        self._matchers = matchers
        self._begun = False

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """`input_ids` (R, L), `scores` (R, V)."""
        if self._begun:
            for row, token in enumerate(input_ids[:, -1].tolist()):
                self._matchers.wrote(row, token)
        self._begun = True
        return cast(torch.FloatTensor, self._matchers.restrict(scores, range(len(scores))))


def _is_written_with(tokens: frozenset[bytes], longest: int, text: bytes) -> bool:
    """Whether some of the tokens, one after the other, are the text."""
    reached = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - longest), end)
        reached[end] = any(reached[start] and text[start:end] in tokens for start in starts)
    return reached[-1]
