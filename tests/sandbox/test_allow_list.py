"""Which programs may run."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ordinary_programs import ORDINARY

from bythebook.sandbox import Job, Sandbox
from bythebook.sandbox.inside.allowed import ATTRIBUTES, BUILTINS, MODULES
from bythebook.sandbox.inside.check import Refused, checked

REFUSED = {
    "import os": "the module os is not allowed",
    "import os.path": "the module os.path is not allowed",
    "import sys": "the module sys is not allowed",
    "import shutil": "the module shutil is not allowed",
    "import socket": "the module socket is not allowed",
    "import math, subprocess": "the module subprocess is not allowed",
    "from math import *": "math.* is not allowed",
    "from string import Formatter": "string.Formatter is not allowed",
    "from operator import attrgetter": "operator.attrgetter is not allowed",
    "from . import x": "the module . is not allowed",
    "import math as __builtins__": "an import may not bind a hidden name",
    "x = __import__('random')": "the name __import__ is not allowed",
    "x = open('y')": "the name open is not available",
    "x = eval('1')": "the name eval is not available",
    "x = getattr(1, 'real')": "the name getattr is not available",
    "x = type(1)": "the name type is not available",
    "x = hash(1)": "the name hash is not available",
    "x = ().__class__": "the attribute __class__ is not allowed",
    "x = '{}'.format(1)": "the attribute format is not allowed",
    "x = (i for i in ()).gi_frame": "the attribute gi_frame is not allowed",
    "f.x = 1": "the attribute x is not allowed",
    "f.real = 1": "attributes are not set or deleted",
    "class C: pass": "ClassDef is not allowed",
    "async def g(): pass": "AsyncFunctionDef is not allowed",
    "global x": "Global is not allowed",
    "with x: pass": "With is not allowed",
    "def g(__x): pass": "the name __x is not allowed",
    "try: pass\nexcept ValueError as __x: pass": "the name __x is not allowed",
    "match 1:\n    case int(real=x): pass": "a pattern may not look up attributes",
    "match 1:\n    case __x: pass": "the name __x is not allowed",
    "match 1:\n    case {**__x}: pass": "the name __x is not allowed",
    "match [1]:\n    case [*__x]: pass": "the name __x is not allowed",
    "x = lambda **__x: 1": "the name __x is not allowed",
    "dict(__class__=1)": "the name __class__ is not allowed",
    "(": "not a program: SyntaxError",
    "x = '\x00'": "not a program",
    "\ud800": "not a program: UnicodeEncodeError",
}


@pytest.mark.parametrize("name", list(ORDINARY))
def test_ordinary_programs_run(sandbox: Sandbox, name: str) -> None:
    source, given, expected = ORDINARY[name]
    outcome = sandbox.run([Job(source=source, inputs=(given,))])[0]
    assert (outcome.status, outcome.detail) == ("ok", "")
    assert outcome.outputs[0].error is None
    assert outcome.outputs[0].text == expected


@pytest.mark.parametrize("addition", list(REFUSED))
def test_others_are_refused_with_the_reason(addition: str) -> None:
    with pytest.raises(Refused) as caught:
        checked(f"def f(a):\n    return a\n{addition}\n", "f")
    assert REFUSED[addition] in str(caught.value)
    assert len(str(caught.value)) < 120


def test_the_function_has_to_be_there_at_the_top_level() -> None:
    for source in ("x = 1", "f = lambda a: a", "def g():\n    def f(a): pass", "if 1:\n    def f(a): pass"):
        with pytest.raises(Refused, match="no function f"):
            checked(source, "f")
    assert checked("def g(): pass", "g")


def test_a_name_that_the_program_binds_itself_is_its_own() -> None:
    for binding in ("open = 1", "for open in (): pass", "def open(): pass", "import math as open", "(open := 1)"):
        assert checked(f"{binding}\ndef f(a):\n    return open", "f")


def test_no_attribute_leads_to_the_interpreter() -> None:
    bad = ("format", "format_map", "mro", "with_traceback", "tb_frame", "gi_frame", "cr_frame", "f_globals", "func")
    assert [name for name in ATTRIBUTES if name.startswith("_") or name in bad] == []


def test_modules_hold_what_is_allowed_of_them_and_nothing_else() -> None:
    for name, names in MODULES.items():
        held = BUILTINS["__import__"](name)
        assert {n for n in vars(held) if not n.startswith("__")} == names
    with pytest.raises(ImportError):
        BUILTINS["__import__"]("os")
    with pytest.raises(ImportError):
        BUILTINS["__import__"]("math", level=1)


def test_methods_taken_from_a_class_do_not_lead_to_the_class_of_a_class(sandbox: Sandbox) -> None:
    source = "from collections import Counter\ndef f(a):\n    return isinstance(int, Counter.copy(int))"
    assert sandbox.run([Job(source=source, inputs=("1",))])[0].outputs[0].error == "TypeError"


@pytest.mark.parametrize("kind", [str, bytes, int, float, list, tuple, dict, set, frozenset, range, slice, bytearray])
def test_methods_of_plain_values_are_the_interpreters_own(kind: type) -> None:
    # In C a method taken from its class refuses what is not of it; a function written in Python would not.
    methods = [getattr(kind, name) for name in dir(kind) if not name.startswith("_")]
    assert [method for method in methods if hasattr(method, "__code__")] == []


def test_classes_written_in_python_are_few_and_known() -> None:
    held = [getattr(BUILTINS["__import__"](module), name) for module, names in MODULES.items() for name in names]
    in_python = {c for c in held if isinstance(c, type) and any(hasattr(m, "__code__") for m in vars(c).values())}
    assert {c.__name__ for c in in_python} == {"_Counter", "Fraction", "error"}


PIECES = ["", "(", "__", ".", "\n", "\x00", "'''", "@", "ｅval", "\ud800"]


@settings(deadline=None)
@given(st.sampled_from([source for source, _, _ in ORDINARY.values()]), st.data())
def test_whatever_the_text_it_is_a_program_or_refused(source: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, len(source)))
    inserted = data.draw(st.sampled_from(PIECES) | st.text())
    with contextlib.suppress(Refused):
        checked(source[:start] + inserted + source[end:], "f")
