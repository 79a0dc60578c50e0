from __future__ import annotations

import json
from typing import Any

import pytest
from openai_server import completion, stream

from bythebook.generation.openai_reply import Unreadable, Withheld, error_message, read_reply
from bythebook.types import Completion


def body(**choice: Any) -> bytes:
    whole = {"message": {"content": "x"}, "finish_reason": "stop", **choice}
    return json.dumps({"choices": [whole], "usage": {"completion_tokens": 3}}).encode()


def test_plain_and_streamed_replies_are_the_same_completion() -> None:
    text = "<think>Zoë: “…”\n\ndata: [DONE]</think><answer>none</answer>"
    expected = Completion(text=text, finish_reason="stop", tokens=7)
    assert read_reply(completion(text)) == expected
    assert read_reply(stream(text), streamed=True) == expected


def test_every_cut_of_a_reply_is_unreadable() -> None:
    plain, streamed = completion("<answer>none</answer>"), stream("<answer>none</answer>")
    for cut in range(len(plain)):
        with pytest.raises(Unreadable):
            read_reply(plain[:cut])
    finished = streamed.index(b'"stop"}]}') + len(b'"stop"}]}')
    for cut in range(finished):
        with pytest.raises(Unreadable):
            read_reply(streamed[:cut], streamed=True)
    # Not every server ends a stream with [DONE], or counts its tokens.
    assert read_reply(streamed[:finished], streamed=True) == Completion(text="<answer>none</answer>")


@pytest.mark.parametrize(
    ("reason", "finish"), [("stop", "stop"), ("eos", "stop"), ("length", "length"), ("max_tokens", "length")]
)
def test_finish_reasons(reason: str, finish: str) -> None:
    assert read_reply(body(finish_reason=reason)).finish_reason == finish


@pytest.mark.parametrize("reason", [None, "", "abort", 3, ["stop"], {"stop": 1}])
def test_unknown_finish_reason_is_no_answer(reason: object) -> None:
    with pytest.raises(Unreadable, match="finish reason"):
        read_reply(body(finish_reason=reason))


@pytest.mark.parametrize("reason", ["content_filter", "tool_calls"])
def test_withheld_answer_is_not_asked_for_again(reason: str) -> None:
    with pytest.raises(Withheld, match=reason):
        read_reply(body(finish_reason=reason))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"choices": []}',
        b'{"choices": "x"}',
        b'{"choices": [null]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": "x", "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": [1]}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": "x", "reasoning": [1]}, "finish_reason": "stop"}]}',
        b'{"error": {"message": "x"}, "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}',
        b"[" * 100_000,
        b'{"choices": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe{}",
    ],
)
def test_anything_else_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read_reply(raw)
    with pytest.raises(Unreadable):
        read_reply(raw, streamed=True)
    with pytest.raises(Unreadable):
        read_reply(b"data: " + raw + b"\n\ndata: [DONE]\n\n", streamed=True)


@pytest.mark.parametrize("tokens", [None, True, -1, "7", 1.5, 2**70])
def test_token_count_that_is_none_is_absent(tokens: object) -> None:
    raw = json.dumps({"choices": json.loads(body())["choices"], "usage": {"completion_tokens": tokens}}).encode()
    assert read_reply(raw).tokens is None


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(
    ("prefilled", "content", "expected"),
    [
        (False, "<answer>none</answer>", "<think>why</think><answer>none</answer>"),
        (True, "<answer>none</answer>", "why</think><answer>none</answer>"),
        (False, "<think>mine</think><answer>none</answer>", "<think>mine</think><answer>none</answer>"),
        (False, None, "<think>why"),
        (False, "", "<think>why"),
    ],
)
def test_thinking_that_the_server_took_out_is_put_back(
    key: str, prefilled: bool, content: str | None, expected: str
) -> None:
    raw = body(message={"content": content, key: "why"}, finish_reason="length")
    assert read_reply(raw, prefilled=prefilled).text == expected


def test_half_of_a_surrogate_pair_can_be_written() -> None:
    text = read_reply(b'{"choices": [{"message": {"content": "a\\ud83db"}, "finish_reason": "stop"}]}').text
    assert (text[0], text[-1]) == ("a", "b")
    text.encode("utf-8")
    assert read_reply(body(message={"content": "\U0001f600"})).text == "\U0001f600"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"error": {"message": "too\\nlong", "code": "c"}}', ("too long", "c")),
        (b'{"error": {"message": "m", "type": "t", "code": null}}', ("m", "t")),
        (b'{"error": "plain"}', ("plain", "")),
        (b'{"detail": "d"}', ("d", "")),
        (b'{"object": "error", "message": "m", "code": 404}', ("m", "404")),
        (b"<html>\n Bad </html>", ("<html> Bad </html>", "")),
        (b"", ("", "")),
        (b'{"error": [1]}', ("", "")),
    ],
)
def test_error_replies_of_many_servers(raw: bytes, expected: tuple[str, str]) -> None:
    assert error_message(raw) == expected


def test_long_error_is_cut_short() -> None:
    assert len(error_message(b"x" * 10_000)[0]) == 200
