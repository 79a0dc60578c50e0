"""What the page embeds can neither end its element nor run."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.report.embed import assets, json_element

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["</script>", "<!--<script>", "]]>", "\u2028", "\u2029", "&lt;", "{{ 7*7 }}", "\x00"]
)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | _TEXT, lambda x: st.lists(x) | st.dictionaries(_TEXT, x))
)
def test_data_comes_back_equal_and_holds_no_character_of_markup(value: object) -> None:
    text = str(json_element(value))
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


def test_what_is_no_number_is_null() -> None:
    assert str(json_element({"a": [float("nan"), float("inf"), 1.5]})) == '{"a":[null,null,1.5]}'


def test_the_policy_names_the_hash_of_every_style_and_script_and_nothing_else() -> None:
    found = assets()
    wanted = [
        base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()
        for t in (found.style, found.early, found.script, found.extraction)
    ]
    assert re.findall(r"'sha256-([^']+)'", found.policy) == wanted
    directives = dict(part.strip().split(" ", 1) for part in found.policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert set(directives) == {
        "default-src",
        "style-src",
        "script-src",
        "base-uri",
        "form-action",
        "require-trusted-types-for",
        "trusted-types",
    }
    assert "unsafe" not in found.policy


@pytest.mark.parametrize("name", ["style", "early", "script", "extraction"])
def test_no_style_or_script_ends_its_element_or_makes_markup(name: str) -> None:
    text = getattr(assets(), name)
    assert re.findall(r"</s(?:cript|tyle)|<!--", text, re.I) == []
    makes_markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    loads = r"fetch\(|XMLHttpRequest|import\(|url\(|@import"
    assert re.findall(f"{makes_markup}|{loads}", text) == []
