"""What a completion may be: thinking of any text between its tags, then an answer that the guideline admits.

A constraint is data. Decoders get it as a structural tag, the form that xgrammar, vLLM and SGLang share: fixed texts,
free text without the tags, and a JSON schema, one after the other, then the end of the sequence. Not in it are: that
mentions have a text and occur in the source, and type signatures, which no grammar of reasonable size says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Self

from pydantic import model_validator

from bythebook.errors import InputError, ModelError
from bythebook.generation.model import Messages, Model, Progress
from bythebook.generation.sampling import Sampling
from bythebook.parsing import TAG_SETS, TagSet
from bythebook.schema import ExtractionSchema, Grammar
from bythebook.types import Completion, Example, Guideline, Noun, SubTask

__all__ = ["Constraint", "generate_constrained"]

_WHITE = 16
"""White characters in a row in the JSON: what an indented one needs, and no more, since some models never stop."""
_BLANK = {"type": "regex", "pattern": r"[ \n]{0,2}"}
"""Between the blocks and around the answer."""
_TAGS = sorted({tag for tags in TAG_SETS.values() for tag in tags.tags})
"""What thinking may not hold: the tags of every set."""
_ROOM = 4
"""The last quarter of a completion's tokens is the answer's: thinking that takes longer is closed. Our choice."""


class Constraint(Noun):
    """The form of one completion: blocks of thinking, then an answer by a JSON schema or one of some labels."""

    tags: TagSet = TAG_SETS["think"]
    json_schema: dict[str, Any] | None = None
    labels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _admits_something(self) -> Self:
        if (self.json_schema is None) == (not self.labels):
            raise ValueError("a constraint has a JSON schema or labels")
        return self

    @classmethod
    def of(cls, example: Example, guideline: Guideline | None = None, tags: str = "think") -> Constraint:
        """The answers to an example that a guideline admits (None: its own), in the tag set of that name; the answer
        to a question of relation classification has the tags of `think` in any case."""
        return _constraint(guideline or example.guideline, example.sub_task, tags)

    def structural_tag(self, *, prefilled: bool = False, max_new_tokens: int | None = None) -> dict[str, Any]:
        """The form in the terms of xgrammar's structural tags. `prefilled`: the chat template has opened the first
        block of thinking. With `max_new_tokens` all thinking together gets three quarters of them at most."""
        parts = list(self._parts(prefilled, max_new_tokens))
        return {"type": "structural_tag", "format": {"type": "sequence", "elements": parts}}

    def fixed_texts(self) -> tuple[str, ...]:
        """What completions have to be able to say, whatever they say: tags, and labels as they stand in an answer."""
        if self.json_schema is None:
            return (*self.tags.tags, *self.labels)
        return (*self.tags.tags, '{"": [["", ""]]}', *self.json_schema["properties"], *_enumerated(self.json_schema))

    def _parts(self, prefilled: bool, max_new_tokens: int | None) -> Iterator[dict[str, Any]]:
        tags, thinking = list(self.tags.tags), self.tags.thinking
        free: dict[str, Any] = {"type": "any_text", "excludes": _TAGS}
        if max_new_tokens is not None and thinking:
            free["max_tokens"] = (max_new_tokens - max_new_tokens // _ROOM) // len(thinking)
        for number in range(len(thinking)):
            if number or not prefilled:
                yield from (_BLANK, _fixed(tags[2 * number]))
            yield from (free, _fixed(tags[2 * number + 1]))
        yield from (_BLANK, _fixed(tags[-2]), _BLANK, self._answer(tags), _BLANK, _fixed(tags[-1]))

    def _answer(self, tags: list[str]) -> dict[str, Any]:
        if self.json_schema is None:
            return {"type": "or", "elements": [_fixed(label) for label in self.labels]}
        # A tag within a mention would end the answer there; those of other sets are harmless and slow to compile.
        form = {"type": "json_schema", "json_schema": self.json_schema}
        return {**form, "max_whitespace_cnt": _WHITE, "excludes": tags}


def generate_constrained(
    model: Model,
    prompts: Sequence[Messages],
    sampling: Sampling,
    constraints: Sequence[Constraint],
    progress: Progress | None = None,
) -> list[list[Completion]]:
    """`Model.generate` under one constraint a prompt. Without prompts it says whether the model can be constrained at
    all: ModelError if it can't, MissingExtraError if what that takes is not installed."""
    if not getattr(model, "constrains", False):
        remedy = "load it with the transformers or the vLLM backend, or ask a server"
        raise ModelError(f"the model {model.name!r} can't be constrained to a schema", remedy=remedy)
    return model.generate(prompts, sampling, progress, constraints=constraints)


@lru_cache(maxsize=256)
def _constraint(guideline: Guideline, sub_task: SubTask, tags: str) -> Constraint:
    if sub_task == "key_values":
        raise InputError("answers under keys are not constrained", remedy="ask without constraints")
    if sub_task == "question":
        raise InputError("free answers follow no schema", remedy="ask without constraints")
    if sub_task != "label":
        schema = ExtractionSchema.of(guideline).json_schema(sub_task)
        return Constraint(tags=TAG_SETS[tags], json_schema=schema)
    grammar = Grammar.of(guideline)
    ends_of = ("",) if grammar.options else ("(e1,e2)", "(e2,e1)")
    labels = [f"{name}{ends}" for name in grammar.relations for ends in ends_of]
    return Constraint(labels=(*labels, *([grammar.no_relation] if grammar.no_relation else [])))


def _fixed(text: str) -> dict[str, Any]:
    return {"type": "const_string", "value": text}


def _enumerated(schema: dict[str, Any]) -> list[str]:
    """The labels that a schema of extractions enumerates."""
    items = [field for part in schema["properties"].values() for field in part["items"]["prefixItems"]]
    return [label for field in items for label in field.get("enum", ())]
