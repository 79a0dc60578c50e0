"""A YAML reader for files that may be hostile: nothing is constructed but plain values, and short files stay short."""

from __future__ import annotations

import re
from typing import Any

import yaml

__all__ = ["StrictLoader"]

_DEEPEST = 50
_SURROGATE = re.compile("[\ud800-\udfff]")


class StrictLoader(yaml.SafeLoader):
    """Refuses aliases, with which a short file could stand for an endless one; more than 50 brackets inside each other,
    for which the scanner takes quadratic time; and half characters, which an escape can make and no file can hold.

    Whatever it refuses is a `yaml.MarkedYAMLError` with `problem` and `problem_mark`. Levels by indentation are bounded
    by Python alone: a RecursionError."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "an alias (*) is not allowed here", mark)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: Any) -> Any:
        node: Any = super().compose_scalar_node(anchor)
        if _SURROGATE.search(node.value):
            problem = "half of a surrogate pair, which is no character"
            raise yaml.composer.ComposerError(None, None, problem, node.start_mark)
        return node

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level >= _DEEPEST:
            problem = f"more than {_DEEPEST} brackets inside each other"
            raise yaml.scanner.ScannerError(None, None, problem, self.get_mark())
        super().fetch_flow_collection_start(token)
