"""Which words a model of closed vocabulary was never taught."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["unknown_words"]

_WORD = re.compile(r"\w+")
_MARKS = frozenset({"e1", "e2"})


def unknown_words(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> tuple[str, ...]:
    """Words of `texts` that the tokenizer has not as one token, neither at the start of a text nor after a space.

    In order of appearance, each once; the marks `e1` and `e2` are no words. Case counts, as it does for the model.
    """
    seen: dict[str, None] = {}
    for text in texts:
        seen.update(dict.fromkeys(_WORD.findall(text)))
    return tuple(word for word in seen if word not in _MARKS and not _is_one_token(tokenizer, word))


def _is_one_token(tokenizer: PreTrainedTokenizerBase, word: str) -> bool:
    for form in (" " + word, word):
        ids = tokenizer.encode(form, add_special_tokens=False)
        if len(ids) == 1 and ids[0] != tokenizer.unk_token_id:
            return True
    return False
