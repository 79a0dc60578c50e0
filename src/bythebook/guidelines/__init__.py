"""Guidelines as documents: Markdown on disk, our library of them, and edits that keep them valid."""

from bythebook.guidelines.draft import Finding
from bythebook.guidelines.edits import (
    add_restriction,
    drop_restrictions,
    flip_direction,
    rename_labels,
    rename_relation,
    rotate_names,
    shuffle_entity_types,
    shuffle_relations,
    swap_names,
)
from bythebook.guidelines.files import load_guideline
from bythebook.guidelines.kept import keep_guidelines, kept_guidelines, library_by_hash
from bythebook.guidelines.library import library_names, load_from_library
from bythebook.guidelines.lint import lint_file, lint_guideline
from bythebook.guidelines.markdown import parse_guideline, write_guideline
from bythebook.guidelines.renaming import Renaming
from bythebook.guidelines.variations import Variation, vary
from bythebook.guidelines.yaml_form import parse_yaml, write_yaml

__all__ = [
    "Finding",
    "Renaming",
    "Variation",
    "add_restriction",
    "drop_restrictions",
    "flip_direction",
    "keep_guidelines",
    "kept_guidelines",
    "library_by_hash",
    "library_names",
    "lint_file",
    "lint_guideline",
    "load_from_library",
    "load_guideline",
    "parse_guideline",
    "parse_yaml",
    "rename_labels",
    "rename_relation",
    "rotate_names",
    "shuffle_entity_types",
    "shuffle_relations",
    "swap_names",
    "vary",
    "write_guideline",
    "write_yaml",
]
