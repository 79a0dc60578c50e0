"""Data, styles and scripts inside one page: nothing in them can end its element, and nothing else can run.

The page's policy allows the styles and scripts that stand in this package, by their hash, and nothing besides: no
request, no attribute that holds code, no markup made from a string. Data is JSON in an element that browsers don't run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from markupsafe import Markup

__all__ = ["Assets", "assets", "json_element"]

_STYLES = ("style.css", "explorer.css", "extraction.css")
_EARLY = ("theme.js",)
_EXTRACTION = (
    "dom.js",
    "list.js",
    "extraction_data.js",
    "rows.js",
    "extraction_text.js",
    "extraction_detail.js",
    "extraction.js",
)
_SCRIPTS = ("dom.js", "data.js", "rows.js", "marks.js", "list.js", "detail.js", "matrix.js", "guideline.js", "main.js")

_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


class Assets(NamedTuple):
    """What the page brings along; `policy` is the content of its Content-Security-Policy."""

    style: Markup
    early: Markup
    """Runs in the head, before anything is drawn."""
    script: Markup
    """Draws documents of relation classification."""
    extraction: Markup
    """Draws texts of joint extraction."""
    policy: str


@lru_cache(maxsize=1)
def assets() -> Assets:
    """The styles and scripts of the package and the policy that lets them in."""
    style = _read(_STYLES)
    early, script, extraction = _scoped(_EARLY), _scoped(_SCRIPTS), _scoped(_EXTRACTION)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(early)} {_hash(script)} {_hash(extraction)}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return Assets(Markup(style), Markup(early), Markup(script), Markup(extraction), policy)


def _read(names: tuple[str, ...]) -> str:
    folder = resources.files("bythebook.report") / "page"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def _scoped(names: tuple[str, ...]) -> str:
    """The files as one script that leaves no name behind."""
    return f'(() => {{\n"use strict";\n{_read(names)}}})();\n'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def json_element(value: Any) -> Markup:
    """JSON that stands inside `<script type="application/json">` whatever strings it holds.

    Of `<`, `>`, `&` and the two line separators that JavaScript knows and JSON does not, only escapes are left; what is
    no finite number becomes null.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPED))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
