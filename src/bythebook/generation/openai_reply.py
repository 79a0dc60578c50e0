"""The body of a chat completion → text, finish reason, number of tokens; or `Unreadable`.

Nothing is guessed: what is cut off, of another form or without a known finish reason is no answer and is asked for
again, so that a broken reply is never scored as the model's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bythebook.types import Completion, FinishReason

__all__ = ["Unreadable", "Withheld", "error_message", "read_reply"]

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
}
_THINKING_KEYS = ("reasoning_content", "reasoning")
_SHOWN = 200


class Unreadable(Exception):
    """Not a whole chat completion; the message says why."""


class Withheld(Exception):
    """A whole reply that says that there will be no answer to this prompt."""


def read_reply(body: bytes, *, streamed: bool = False, prefilled: bool = False) -> Completion:
    """The completion in a reply; `streamed` for a body of server-sent events.

    A server that takes the thinking out of the answer has it put back between the tags, as the model wrote it, unless
    the answer has tags of its own. Unreadable or Withheld if there is no completion.
    """
    reply = _joined(body) if streamed else _object(body)
    choice = _first(reply)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Unreadable("a choice without a message")
    finish = choice.get("finish_reason")
    if finish in ("content_filter", "tool_calls", "function_call"):
        raise Withheld(f"the server ended the answer with {finish!r}")
    if not isinstance(finish, str) or finish not in _FINISH:
        raise Unreadable(f"finish reason {_short(finish)}")
    thinking = next((message[key] for key in _THINKING_KEYS if message.get(key)), "")
    content = message.get("content")
    if content is None and thinking:
        content = ""  # the answer was cut off while thinking
    if not isinstance(content, str) or not isinstance(thinking, str):
        raise Unreadable("a message whose content is no text")
    text = _whole_text(thinking, content, prefilled, ended=content != "")
    usage = reply.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    counted = isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens < 2**53
    return Completion(text=_clean(text), finish_reason=_FINISH[finish], tokens=tokens if counted else None)


def error_message(body: bytes) -> tuple[str, str]:
    """(message, code) of an error reply, in one line each; what there is of the body if it has another form."""
    try:
        found: Any = _object(body)
    except Unreadable:
        return _clean(" ".join(body[:_SHOWN].decode("utf-8", "replace").split())), ""
    inner = found.get("error", found)
    if isinstance(inner, str):
        return _line(inner), ""
    if not isinstance(inner, dict):
        return "", ""
    message = inner.get("message") or inner.get("detail") or inner.get("error") or ""
    return _line(message), _line(inner.get("code") or inner.get("type") or "")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unreadable("a body that is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("a body that is not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("a body that is no JSON object")
    return found


def _first(reply: Mapping[str, Any]) -> dict[str, Any]:
    if reply.get("error"):
        raise Unreadable(f"an error in place of an answer: {_short(reply['error'])}")
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Unreadable("a body without choices")
    return choices[0]


def _joined(body: bytes) -> dict[str, Any]:
    """The chunks of a stream as one reply."""
    parts: dict[str, list[str]] = {key: [] for key in ("content", *_THINKING_KEYS)}
    finish, usage = None, None
    for chunk in _events(body):
        usage = chunk.get("usage") or usage
        if not chunk.get("choices") and not chunk.get("error"):
            continue  # the chunk that only counts tokens
        choice = _first(chunk)
        finish = choice.get("finish_reason") or finish
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            raise Unreadable("a chunk without a delta")
        for key, texts in parts.items():
            text = delta.get(key)
            if text is not None and not isinstance(text, str):
                raise Unreadable("a chunk whose content is no text")
            texts.append(text or "")
    message = {key: "".join(texts) for key, texts in parts.items()}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects of the `data:` lines up to `[DONE]`, which not every server sends: whether a stream was cut off
    shows in the finish reason, which comes last."""
    for line in body.splitlines():
        name, _, data = line.partition(b":")
        if name != b"data":
            continue  # an empty line, a comment, the name of an event
        if data.strip() == b"[DONE]":
            return
        yield _object(data)


def _whole_text(thinking: str, content: str, prefilled: bool, ended: bool) -> str:
    if not thinking or "<think>" in content or "</think>" in content:
        return content
    return f"{'' if prefilled else '<think>'}{thinking}{'</think>' if ended else ''}{content}"


def _clean(text: str) -> str:
    """Without lone halves of surrogate pairs, which JSON can hold and UTF-8 can't."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _line(value: object) -> str:
    return _clean(" ".join(str(value).split())[:_SHOWN])


def _short(value: object) -> str:
    return _clean(repr(value)[:_SHOWN])
