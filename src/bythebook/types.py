"""The nouns of the product: frozen, validated, serialisable. Imports nothing of ours.

Every noun is a pydantic model: `x.model_dump_json()` writes it, `X.model_validate_json(text)` reads and checks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "Alignment",
    "AnswerItem",
    "Completion",
    "Deviation",
    "Direction",
    "Entity",
    "EntityType",
    "Example",
    "ExtractedEntity",
    "ExtractedRelation",
    "Extraction",
    "FinishReason",
    "Guideline",
    "Label",
    "LabelName",
    "NearMiss",
    "Noun",
    "Parsed",
    "ParsedExtraction",
    "Part",
    "RelationType",
    "Span",
    "Status",
    "SubTask",
    "Verdict",
]

Direction = Literal["(e1,e2)", "(e2,e1)"]
"""Argument order of an answer: which marked entity is the relation's first argument."""

FinishReason = Literal["stop", "length", "error"]
Status = Literal["ok", "wrong", "no_answer", "malformed", "truncated", "unscored"]
SubTask = Literal["label", "ner", "re", "re_plus", "end2end", "question", "key_values"]
"""What is asked of a text: `label`, the relation of two marked mentions; `ner`, its entities; `re`, the relations of
given pairs; `re_plus`, those of given typed entities; `end2end`, entities and relations; `question`: it is a question
itself, with a free answer; `key_values`, what a document states under given keys."""
Alignment = Literal["exact", "case", "space", "unicode", "ungrounded"]
"""How a mention was found in the source: as it is written there; with other letter case; with other white space; in
another Unicode form (normalisation, kinds of quotes and dashes); or not at all."""

_FORBIDDEN_IN_NAME = frozenset("()<>,\n\r\t\x00")
_MAX_NAME = 80


def _checked_name(name: str) -> str:
    if not name or name != name.strip() or len(name) > _MAX_NAME:
        raise ValueError(f"a label name has 1 to {_MAX_NAME} characters and no space around it, got {name!r}")
    bad = sorted(_FORBIDDEN_IN_NAME.intersection(name))
    if bad or not name.isprintable():
        raise ValueError(f"a label name may not contain {bad or 'control characters'}: {name!r}")
    return name


LabelName = Annotated[str, AfterValidator(_checked_name)]
"""What a guideline may call a relation: `Cause-Effect`, `associated_with`, `R7`, `Other`, `none`, …"""


class Noun(BaseModel):
    """Base of all nouns: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Noun):
    """A half-open range of character offsets, `[start, end)`."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"a span ends before it starts: [{self.start}, {self.end})")
        return self

    def of(self, text: str) -> str:
        """The characters of `text` in this span."""
        return text[self.start : self.end]


class Label(Noun):
    """One answer of relation classification: a relation with its direction, or the bare no-relation label."""

    name: LabelName
    direction: Direction | None = None

    @property
    def text(self) -> str:
        """As an annotator writes it: `Cause-Effect(e1,e2)`, `Other`."""
        return self.name + (self.direction or "")

    def __str__(self) -> str:
        return self.text


# ---------------------------------------------------------------------------------------------------- the guideline


class EntityType(Noun):
    """A type an argument can have."""

    name: LabelName
    definition: str


class NearMiss(Noun):
    """A sentence that looks like the relation and is not: what it is instead, and why."""

    sentence: str
    answer: str
    reason: str


class RelationType(Noun):
    """One section of a guideline: what the relation means and how to recognise it."""

    name: LabelName
    definition: str
    head_types: tuple[LabelName, ...] = ()
    tail_types: tuple[LabelName, ...] = ()
    direction: str = ""
    """Prose; or exactly `(e1,e2)` / `(e2,e1)` when every instance has it; or `symmetric`; or `option` in every
    type of a guideline: these are the options of a multiple-choice question, answered by the name alone."""
    restrictions: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    """(sentence with both arguments marked, answer)"""
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def symmetric(self) -> bool:
        return self.direction.strip().lower() == "symmetric"

    @property
    def fixed_direction(self) -> Direction | None:
        """The one direction of this type where the guideline fixes it, else None."""
        match self.direction.strip():
            case "(e1,e2)":
                return "(e1,e2)"
            case "(e2,e1)":
                return "(e2,e1)"
            case _:
                return None


class Guideline(Noun):
    """A versioned annotation guideline. Two guidelines with the same content have the same `hash`."""

    title: str
    version: str
    domain: str
    preamble: str = ""
    entity_types: tuple[EntityType, ...] = ()
    relation_types: tuple[RelationType, ...] = Field(min_length=1)
    no_relation: LabelName | None = None
    no_relation_definition: str = ""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [r.name for r in self.relation_types] + ([self.no_relation] if self.no_relation else [])
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"label declared twice: {', '.join(twice)}")
        return self

    @cached_property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the content."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        # The content hash is computed once; pydantic's own would walk the whole document at every look-up.
        return hash(self.hash)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, without the hash of the original."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("hash", None)
        return copy

    def relation(self, name: str) -> RelationType | None:
        """The relation type of that name, or None."""
        return next((r for r in self.relation_types if r.name == name), None)

    @property
    def chooses(self) -> bool:
        """Whether the types are the options of a multiple-choice question."""
        return all(r.direction == "option" for r in self.relation_types)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every answer this guideline admits, in its order; a symmetric relation once, as `(e1,e2)`."""
        out: list[Label] = []
        for r in self.relation_types:
            out.append(Label(name=r.name, direction=None if self.chooses else "(e1,e2)"))
            if not (r.symmetric or self.chooses):
                out.append(Label(name=r.name, direction="(e2,e1)"))
        if self.no_relation:
            out.append(Label(name=self.no_relation))
        return tuple(out)


# ------------------------------------------------------------------------------------------- what is annotated, and how


class Entity(Noun):
    """A mention in the source text. In relation classification the two arguments have the ids `e1` and `e2`."""

    id: str
    span: Span
    type: str | None = None


class ExtractedEntity(Noun):
    """A mention by its text: gold of a data set, or what a model named."""

    text: str
    type: str | None = None
    span: Span | None = None
    """In the source text; None where it is not known."""
    alignment: Alignment | None = None
    """How the span was found; None: it came with the data, or nobody looked."""


class ExtractedRelation(Noun):
    """A relation type between two mentions."""

    head: ExtractedEntity
    type: str
    tail: ExtractedEntity


class Extraction(Noun):
    """Entities and relations of a text, in order: gold, or an answer."""

    entities: tuple[ExtractedEntity, ...] = ()
    relations: tuple[ExtractedRelation, ...] = ()


class Example(Noun):
    """One item to annotate. Its gold is `gold` where the sub-task is `label`, `reference` where it is `question` or
    `key_values`, else `extraction`; None where nobody has annotated it yet."""

    id: str
    text: str
    entities: tuple[Entity, ...] = ()
    """The mentions that the prompt marks: `e1` and `e2` of the sub-task `label`."""
    gold: Label | None = None
    guideline: Guideline
    domain: str
    split: str | None = None
    meta: dict[str, str] = Field(default_factory=dict)
    """What the task knows of it; names that begin with an underscore stay out of records."""
    sub_task: SubTask = "label"
    extraction: Extraction | None = None
    given: Extraction | None = None
    """What the prompt tells beside the text: the typed entities of `re_plus`; the pairs of `re`, as relations of an
    empty type."""
    reference: str | None = None
    """The answer to a question, in one of its wordings; the values under keys, as a JSON object."""

    @model_validator(mode="after")
    def _spans_lie_in_the_text(self) -> Self:
        for e in self.entities:
            if e.span.end > len(self.text) or e.span.start == e.span.end:
                raise ValueError(f"entity {e.id} of {self.id} lies outside the text or is empty")
        return self

    @property
    def picture(self) -> str | None:
        """What picture goes with it, as `tasks.pictures` has it; None where there is none."""
        return self.meta.get("_picture")

    def entity(self, entity_id: str) -> Entity:
        """The entity with that id; KeyError if there is none."""
        for e in self.entities:
            if e.id == entity_id:
                return e
        raise KeyError(f"example {self.id} has no entity {entity_id!r}")


class Completion(Noun):
    """What a model wrote."""

    text: str
    finish_reason: FinishReason = "stop"
    tokens: int | None = None
    logprob: float | None = None
    """Sum of the log-probabilities of the tokens, where known."""
    error: str | None = None
    """Why there is none (finish reason `error`), where that is another reason than a prompt beyond the context."""


class Deviation(Noun):
    """One way in which a completion departs from what was asked; `span` in the completion."""

    code: str
    message: str
    span: Span | None = None


class AnswerItem(Noun):
    """One answer as read. `label` is None when the text is no answer the form allows."""

    text: str
    span: Span
    label: Label | None
    known: bool
    """Whether the guideline declares the label."""


class Parsed(Noun):
    """A completion as read. Parsing is total: whatever the text, there is a `Parsed`."""

    thinking: str | None
    thinking_span: Span | None
    items: tuple[AnswerItem, ...]
    well_formed: bool
    """Whether the form is right: every tag exactly once and in order, and an answer of the right form."""
    anchored: bool
    """Whether nothing but white space stands outside the tags."""
    deviations: tuple[Deviation, ...] = ()

    @property
    def answer(self) -> AnswerItem | None:
        """The single answer; None when there is none or more than one."""
        return self.items[0] if len(self.items) == 1 else None

    @property
    def label(self) -> Label | None:
        """The label of the single answer; None when there is none or it has not the form of one."""
        return self.answer.label if self.answer else None


class ParsedExtraction(Noun):
    """A completion of joint extraction as read. Parsing is total: whatever the text, there is one."""

    thinking: str | None
    thinking_span: Span | None
    extraction: Extraction | None
    """The items that could be read; None where there is no answer at all."""
    answer_span: Span | None
    """Of the JSON in the completion."""
    well_formed: bool
    """Whether the form is right: the declared tags each once and in order, and JSON that needed no repair, of which no
    item was dropped."""
    anchored: bool
    """Whether nothing but white space stands outside the tags."""
    repaired: bool = False
    """Whether the JSON could be read only after a repair."""
    dropped: int = 0
    """Items that could not be read, or that the schema does not admit; each is a deviation."""
    deviations: tuple[Deviation, ...] = ()


class Part(Noun):
    """One term of a reward. `value` is what it contributed, already weighted."""

    value: float
    weight: float = 1.0
    gate: bool = False
    """Whether failing this part kept later parts from being computed."""
    reason: str = ""


class Verdict(Noun):
    """What a completion earned, and why. `value` is None when it could not be scored."""

    value: float | None
    status: Status
    parts: dict[str, Part] = Field(default_factory=dict)
    errors: tuple[str, ...] = ()

    @property
    def correct(self) -> bool:
        return self.status == "ok"
