"""Keys with descriptions, the guideline of a document that is read into JSON, and the gold that stands beside them.

Keys are the entity types of a guideline, by path: `total`; `buyer.name`, inside of an object; `items[].price`, inside
of every object of a list; `notes[]`, a list of texts. Whatever swaps, hashes or lints guidelines works on them as it
does on others. An object or a list need not have an entry of its own; one that has gives its description.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, ValidationError, model_validator

from bythebook.errors import GuidelineError, said
from bythebook.schema.json_text import MAX_DEPTH, MAX_NODES, depth_and_nodes
from bythebook.types import EntityType, Example, Guideline, Noun, RelationType

__all__ = ["Key", "KeySchema", "KeyValueGold", "key_guideline", "leaf_text"]

_LIST = "[]"
_KEPT_OUT = frozenset(".[]()<>,")
"""Characters that paths of keys and names in guidelines need for themselves."""
_LONGEST_PATH = 80
_REMEDY = "declare keys as entity types, by path: total, buyer.name, items[].price"


def leaf_text(value: JsonValue) -> str:
    """What a leaf says: runs of white space as one space, none around it; of nothing, the empty text."""
    if value is None:
        return ""
    return " ".join((value if isinstance(value, str) else json.dumps(value)).split())


def _checked_key(name: str) -> str:
    bad = sorted(_KEPT_OUT.intersection(name))
    if bad or not name or name != name.strip() or not name.isprintable():
        why = f"{' '.join(bad)} stands in it" if bad else "it is empty, or has space around it or control characters"
        raise ValueError(f"{name[:40]!r} can't be a key: {why}")
    return name


KeyName = Annotated[str, AfterValidator(_checked_key)]


class Key(Noun):
    """One key: its value is a text; an object, where it has keys itself; a list of either, where it is `many`."""

    name: KeyName
    description: str = ""
    keys: tuple[Key, ...] = ()
    many: bool = False

    @model_validator(mode="after")
    def _no_key_twice(self) -> Self:
        _refuse_twice(self.keys)
        return self


class KeySchema(Noun):
    """The keys that are asked for, in order. ValidationError for a key that is declared twice, a path of more than 80
    characters and keys nested too deeply."""

    keys: tuple[Key, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _refuse_twice(self.keys)
        for path, _ in _paths(self.keys, ""):
            if len(path) > _LONGEST_PATH:
                raise ValueError(f"the path {path[:40]}… is longer than {_LONGEST_PATH} characters")
            # A step of a path may stand for two levels, a list and the object in it.
            if 2 * (path.count(".") + 1) > MAX_DEPTH - 1:
                raise ValueError(f"the key {path} lies too deep")
        return self

    @classmethod
    def of(cls, guideline: Guideline) -> Self:
        """The keys that a guideline declares as its entity types. GuidelineError if those are no paths of keys, or
        none."""
        tree: dict[str, Any] = {}
        descriptions: dict[str, str] = {}
        for kind in guideline.entity_types:
            level, path = tree, ""
            for step in kind.name.split("."):
                path = f"{path}.{step}" if path else step
                level = level.setdefault(step, {})
            descriptions[path] = kind.definition
        try:
            return cls(keys=tuple(_keys(tree, "", descriptions)))
        except ValidationError as error:
            raise GuidelineError(f"{guideline.title}: no keys to ask for: {said(error)}", remedy=_REMEDY) from None

    @property
    def names(self) -> tuple[str, ...]:
        """The outermost keys."""
        return tuple(key.name for key in self.keys)

    def entity_types(self) -> tuple[EntityType, ...]:
        """The same as a guideline has it."""
        return tuple(EntityType(name=path, definition=key.description) for path, key in _paths(self.keys, ""))

    def restricted(self, names: Iterable[str]) -> Self:
        """With these of the outermost keys only, in this schema's order. ValidationError if none is left."""
        wanted = frozenset(names)
        return type(self)(keys=tuple(key for key in self.keys if key.name in wanted))

    @cached_property
    def skeleton(self) -> str:
        """The JSON that is asked for, values left out, lists with one element; what a key means stands behind `//`."""
        return "\n".join(("{", *_skeleton(self.keys, 1), "}"))

    def faults(self, values: JsonValue) -> tuple[tuple[str, str], ...]:
        """(code, what) of every place where values have not the shape of the keys: `unknown_key`, `wrong_shape`."""
        return tuple(_faults(self.keys, values, "")) if isinstance(values, dict) else (("wrong_shape", "no object"),)


class KeyValueGold(Noun):
    """The values of a document under its keys: what every RL engine can carry in a column. ValidationError for values
    that are too many or nested too deeply."""

    key_schema: KeySchema
    values: dict[str, JsonValue]

    @model_validator(mode="after")
    def _readable(self) -> Self:
        depth, nodes = depth_and_nodes(self.values)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise ValueError(f"{nodes} values, {depth} deep: at most {MAX_NODES} and {MAX_DEPTH} can be read")
        return self

    @classmethod
    def of(cls, example: Example) -> Self:
        """The gold of an example, whose reference is a JSON object. ValueError if it has none."""
        if example.reference is None:
            raise ValueError(f"example {example.id} has no values")
        return cls(key_schema=KeySchema.of(example.guideline), values=json.loads(example.reference))

    def write(self) -> str:
        """The values as a model would answer them, on one line."""
        return json.dumps(self.values, ensure_ascii=False)

    def to_json(self) -> str:
        """Equal golds are equal strings. The order of keys is kept."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; pydantic's ValidationError if `text` is something else."""
        return cls.model_validate_json(text)


def key_guideline(schema: KeySchema, *, title: str, domain: str, preamble: str = "") -> Guideline:
    """Keys as a guideline. Its one relation type says what an answer is; no prompt shows it."""
    answer = RelationType(name="Values", definition="the values of the keys, as the document states them")
    return Guideline(
        title=title,
        version="1",
        domain=domain,
        preamble=preamble,
        entity_types=schema.entity_types(),
        relation_types=(answer,),
    )


def _refuse_twice(keys: tuple[Key, ...]) -> None:
    names = [key.name for key in keys]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"the key {twice[0]!r} is declared twice")


def _paths(keys: Iterable[Key], before: str) -> Iterator[tuple[str, Key]]:
    for key in keys:
        path = before + key.name + (_LIST if key.many else "")
        yield path, key
        yield from _paths(key.keys, path + ".")


def _keys(tree: Mapping[str, Any], before: str, descriptions: Mapping[str, str]) -> Iterator[Key]:
    for step, inner in tree.items():
        path = before + step
        many = step.endswith(_LIST)
        name = step.removesuffix(_LIST) if many else step
        keys = tuple(_keys(inner, path + ".", descriptions))
        yield Key(name=name, description=descriptions.get(path, ""), keys=keys, many=many)


def _skeleton(keys: tuple[Key, ...], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for number, key in enumerate(keys):
        comma = "," if number + 1 < len(keys) else ""
        description = " ".join(key.description.split())
        comment = f" // {description}" if description else ""
        name = json.dumps(key.name, ensure_ascii=False)
        left, right = ("[", "]") if key.many else ("", "")
        if not key.keys:
            yield f'{indent}{name}: {left}""{right}{comma}{comment}'
            continue
        yield f"{indent}{name}: {left}{{{comment}"
        yield from _skeleton(key.keys, depth + 1)
        yield f"{indent}}}{right}{comma}"


def _faults(keys: tuple[Key, ...], values: Mapping[str, JsonValue], before: str) -> Iterator[tuple[str, str]]:
    known = {key.name: key for key in keys}
    for name, value in values.items():
        path = before + name
        key = known.get(name)
        if key is None:
            yield "unknown_key", path
            continue
        if value is None or value == "":
            continue
        if key.many and not isinstance(value, list):
            yield "wrong_shape", f"{path} is no list"
            continue
        for item in value if key.many and isinstance(value, list) else [value]:
            yield from _value_faults(key, item, path)


def _value_faults(key: Key, value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    if key.keys and isinstance(value, dict):
        yield from _faults(key.keys, value, f"{path}.")
    elif key.keys and value not in (None, ""):
        yield "wrong_shape", f"{path} is no object"
    elif not key.keys and isinstance(value, (dict, list)):
        yield "wrong_shape", f"{path} is no text"
