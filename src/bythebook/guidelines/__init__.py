"""Guidelines as documents: Markdown on disk, our library of them, and edits that keep them valid."""

from bythebook.guidelines.edits import (
    add_restriction,
    drop_restrictions,
    flip_direction,
    rename_relation,
    rotate_names,
    shuffle_relations,
    swap_names,
)
from bythebook.guidelines.library import library_names, load_from_library
from bythebook.guidelines.markdown import load_guideline, parse_guideline, write_guideline

__all__ = [
    "add_restriction",
    "drop_restrictions",
    "flip_direction",
    "library_names",
    "load_from_library",
    "load_guideline",
    "parse_guideline",
    "rename_relation",
    "rotate_names",
    "shuffle_relations",
    "swap_names",
    "write_guideline",
]
