"""bythebook: train small language models to annotate by the book.

The annotation guideline stands in the prompt, the model reasons like an annotator, and a program checks the answer and
pays the reward. One model then serves every guideline, also those it was never trained on.

    import bythebook

    guideline = bythebook.load_guideline("guideline.md")
    rows = bythebook.annotate(["The <e1>pump</e1> feeds the <e2>boiler</e2> ."], guideline, model="runs/first/model")
    judge = bythebook.reward("r1_re")        # a plain callable that plugs into TRL as it is

A name is loaded when it is first used, so `import bythebook` loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bythebook.annotation import annotate
    from bythebook.errors import BythebookError, InputError
    from bythebook.evaluation import evaluate
    from bythebook.guidelines import load_from_library, load_guideline, parse_guideline, write_guideline
    from bythebook.records import Record, read_records
    from bythebook.rewards import reward
    from bythebook.training import train
    from bythebook.types import Completion, Entity, Example, Guideline, Label, Parsed, RelationType, Span, Verdict

__version__ = "0.1.0"

__all__ = [
    "BythebookError",
    "Completion",
    "Entity",
    "Example",
    "Guideline",
    "InputError",
    "Label",
    "Parsed",
    "Record",
    "RelationType",
    "Span",
    "Verdict",
    "__version__",
    "annotate",
    "evaluate",
    "load_from_library",
    "load_guideline",
    "parse_guideline",
    "read_records",
    "reward",
    "train",
    "write_guideline",
]

_ROOMS = {
    "annotation": ("annotate",),
    "errors": ("BythebookError", "InputError"),
    "evaluation": ("evaluate",),
    "guidelines": ("load_from_library", "load_guideline", "parse_guideline", "write_guideline"),
    "records": ("Record", "read_records"),
    "rewards": ("reward",),
    "training": ("train",),
    "types": ("Completion", "Entity", "Example", "Guideline", "Label", "Parsed", "RelationType", "Span", "Verdict"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
