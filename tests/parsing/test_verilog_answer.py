"""The code of a completion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.parsing.verilog_answer import read_verilog_answer

CODE = "module m; endmodule\n"


def fence(code: str = CODE, language: str = "verilog") -> str:
    return f"```{language}\n{code}```"


def say(answer: str, thinking: str = "hm") -> str:
    return f"<think>{thinking}</think>\n<answer>{answer}</answer>"


@pytest.mark.parametrize("language", ["verilog", "Verilog ", "systemverilog", "sv", "v"])
def test_the_fence_of_the_answer_is_read(language: str) -> None:
    text = say(f"Here:\n{fence(language=language)}\nDone.")
    read = read_verilog_answer(text)
    assert (read.code, read.well_formed) == (CODE, True)
    assert read.span is not None
    assert read.span.of(text) == CODE


@pytest.mark.parametrize(
    ("text", "code", "well_formed", "deviation"),
    [
        (say(fence("first") + fence("second")), "second", True, "several_fences"),
        (say(fence() + fence("x", "python")), CODE, True, ""),
        (say(fence("x", "python")), None, True, "no_fence"),
        (say(CODE), None, True, "no_fence"),
        (say("```verilog\nmodule"), None, True, "open_fence"),
        (say(fence() + "```verilog\nmodule"), None, True, "open_fence"),
        (say("none", fence()), None, True, "no_fence"),
        (say("none") + fence(), None, True, "no_fence"),
        (fence(), None, False, "missing_tag"),
        (f"<answer>{fence()}</answer>", CODE, False, "missing_tag"),
        (say(fence()) + say(fence()), None, False, "duplicate_tag"),
        (say(fence())[:-9], None, False, "missing_tag"),
        (f"<think><answer>{fence()}</answer></think>", None, False, "tag_order"),
        ("", None, False, "missing_tag"),
    ],
)
def test_where_the_code_stands(text: str, code: str | None, well_formed: bool, deviation: str) -> None:
    read = read_verilog_answer(text)
    assert (read.code, read.well_formed) == (code, well_formed)
    assert not deviation or deviation in [d.code for d in read.deviations]


def test_as_published_the_last_fence_anywhere_counts() -> None:
    assert read_verilog_answer(say("none", fence()), anywhere=True).code == CODE
    assert read_verilog_answer(say(fence("a")) + fence("b"), anywhere=True).code == "b"


def test_a_completion_may_begin_inside_the_thinking() -> None:
    text = f"hm</think><answer>{fence()}</answer>"
    assert read_verilog_answer(text, prefilled=True).well_formed
    assert not read_verilog_answer(text).well_formed


PIECES = ["```", "```verilog\n", "\n", "<think>", "</think>", "<answer>", "</answer>", "x", "`", " "]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(), st.booleans())
def test_reading_is_total_and_spans_are_those_of_the_code(text: str, anywhere: bool) -> None:
    read = read_verilog_answer(text, anywhere=anywhere)
    assert (read.code is None) == (read.span is None)
    if read.span is not None and not any(d.code == "lone_surrogate" for d in read.deviations):
        assert read.span.of(text) == read.code
        assert "```" not in (read.code or "")


@pytest.mark.parametrize("unit", ["```", "```verilog\n", "<answer>", "`", "```v"])
def test_long_hostile_completions_come_to_an_end(unit: str) -> None:
    assert read_verilog_answer(say(unit * 50_000)).code is None or unit == "```verilog\n"
