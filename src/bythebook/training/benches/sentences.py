"""Sentences under one guideline of the library, and a model of random weights with a tokenizer that reads them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from bythebook.errors import DataError
from bythebook.generation import ModelSettings, TransformersModel
from bythebook.generation.chat import prompt_text
from bythebook.guidelines.library import library_names, load_from_library
from bythebook.prompts import marked_text, render, render_guideline
from bythebook.readers.documents import document_of
from bythebook.tasks.documents import pair_examples
from bythebook.tasks.world import stream
from bythebook.training.benches.decoding import PEERS, Decoding
from bythebook.training.benches.turns import Turns, measured_on
from bythebook.training.benches.workload import Workload, build, set_up
from bythebook.training.small_models import train_tokenizer

__all__ = ["GUIDELINE", "SETTINGS", "completed", "prompts_of", "reader", "sentences", "shared_model"]

GUIDELINE = "semeval2010"
SETTINGS = ModelSettings(template="short", rendering="rules")
"""About 1,000 tokens of guideline."""
_ADDED = 32
"""Tokens at least that the tokenizer gets beside those that it learns."""


def sentences(number: int, seed: int) -> list[str]:
    """So many different sentences of the procedural world, with their arguments marked."""
    found = {marked_text(example): None for example in islice(stream("ood", seed=seed), 2 * number)}
    return list(found)[:number]


def reader(workload: Workload) -> tuple[Any, Any]:
    """(model, tokenizer): the tokenizer has learnt the library's guidelines and other sentences than those it reads.
    Every row of the model has a token: what random weights write can be compared as text."""
    guidelines = [load_from_library(name) for name in library_names()]
    texts = [render_guideline(g, "full") for g in guidelines] + sentences(500, workload.seed + 1)
    model = build(workload)
    rows = model.config.vocab_size
    tokenizer = train_tokenizer(texts, rows - _ADDED)
    tokenizer.add_tokens([f"<{number}>" for number in range(len(tokenizer), rows)])
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model, tokenizer


def prompts_of(texts: list[str], tokenizer: Any) -> list[str]:
    """What a model reads of each text: the same prompts that `annotate` writes."""
    book, prompts = load_from_library(GUIDELINE), []
    for number, text in enumerate(texts):
        document, _ = document_of(text, str(number))
        if document is None:
            raise DataError(f"{text!r} is no marked sentence")
        (example,) = pair_examples(document, book)
        prompts.append(prompt_text(tokenizer, render(example, SETTINGS.style)))
    return prompts


def completed(
    turns: Turns, *, peer: str, texts: list[str], batch_size: int, new_tokens: int, workload: dict[str, Any]
) -> None:
    """Completions under the guideline, by one of `PEERS`. Tokenising and decoding are measured, too."""
    given = Workload(**workload)
    set_up(given)
    model, tokenizer = reader(given)
    prompts = prompts_of(texts, tokenizer)
    how = Decoding(new_tokens, batch_size, pad=tokenizer.pad_token_id, end=tokenizer.eos_token_id)
    turns = measured_on(turns, given.device)
    while True:
        turns.begin()
        ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
        turns.end(tokenizer.batch_decode(PEERS[peer](model, ids, how), skip_special_tokens=True))


def shared_model(workload: Workload) -> Callable[[], TransformersModel]:
    """Ours on the same weights; each call gives one that has kept nothing yet."""
    model, tokenizer = reader(workload)
    return lambda: TransformersModel(model, tokenizer, settings=SETTINGS, share_prefix=True)
