from __future__ import annotations

import random

from bythebook.report.spans import Piece, argument_pieces, clipped, diff_lines, form_pieces


def test_marked_arguments_are_styled_and_their_tags_dropped() -> None:
    assert argument_pieces("A <e2>lid</e2> on <e1>it</e1>.") == [
        Piece("A ", ""),
        Piece("lid", "e2"),
        Piece(" on ", ""),
        Piece("it", "e1"),
        Piece(".", ""),
    ]


def test_nested_arguments_take_the_inner_style() -> None:
    assert argument_pieces("<e1>a <e2>b</e2> c</e1>") == [Piece("a ", "e1"), Piece("b", "e2"), Piece(" c", "e1")]


def test_a_tag_without_partner_stays_text() -> None:
    for text in ("<e1> and", "x</e2>", "<e1>" + "a" * 500 + "</e1>"):
        assert "".join(p.text for p in argument_pieces(text)) == text


def test_a_completion_keeps_every_character() -> None:
    rng = random.Random(0)
    atoms = ["<think>", "</think>", "<answer>", "</answer>", "<e1>", "x", " ", "<", ">", "\n", "é"]
    for _ in range(500):
        text = "".join(rng.choice(atoms) for _ in range(rng.randrange(12)))
        assert "".join(p.text for p in form_pieces(text)) == text


def test_thinking_and_answer_are_styled_even_if_the_model_stopped() -> None:
    assert form_pieces("<think>a</think><answer>b") == [
        Piece("<think>", "tag"),
        Piece("a", "think"),
        Piece("</think>", "tag"),
        Piece("<answer>", "tag"),
        Piece("b", "answer"),
    ]


def test_a_million_repeated_tags_are_read() -> None:
    assert len(form_pieces("<think>" * 150_000)) == 150_000
    assert "".join(p.text for p in argument_pieces("<e1>" * 250_000)) == "<e1>" * 250_000


def test_long_text_is_cut_and_says_so() -> None:
    assert clipped("a" * 10, 10) == "a" * 10
    assert clipped("a" * 12, 10) == "a" * 10 + " … [2 more characters]"


def test_a_diff_loses_its_file_headers_only() -> None:
    diff = "--- old\n+++ new\n@@ -1 +1 @@\n-a\n+b\n c"
    assert diff_lines(diff) == [
        Piece("@@ -1 +1 @@", "hunk"),
        Piece("-a", "removed"),
        Piece("+b", "added"),
        Piece(" c", ""),
    ]
