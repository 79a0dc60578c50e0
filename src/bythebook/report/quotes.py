"""Whether a model's reasoning uses the words of a clause: the evidence beside the rules of `clauses`.

A line of a clause counts as quoted if three or more words in a row of it, two of them content words, stand in the
reasoning too; a line of at most three content words, if all of them do. Label names and function words are no content
words. Linear in the length of the reasoning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bythebook.report.clauses import Book

__all__ = ["QuoteFinder", "thinking_of"]

_WORD = re.compile(r"\w+")
_RUN = 3
_SHORT = 3
_CONTENT = 2
_LONGEST = 20_000
_LONGEST_PHRASE = 12
_FUNCTION_WORDS = frozenset(
    """a an and any are as at be because been but by can do does e1 e2 first for from had has have if in into is it its
    itself no none not of off on one only or other out over second so some such than that the their them then there
    these they this those to two under unless up was were what when where which while who whom whose will with within
    without yes""".split()
)


def thinking_of(completion: str) -> str:
    """What stands before the end of the thinking, also where its opening tag stood in the prompt; else nothing."""
    before, end, _ = completion.partition("</think>")
    if not end and "<think>" not in before:
        return ""
    return before.partition("<think>")[2] if "<think>" in before else before


class QuoteFinder:
    """Finds words of the clauses of one guideline."""

    def __init__(self, book: Book) -> None:
        labels = frozenset(word for name in book.names for word in _words(name))
        self._empty = _FUNCTION_WORDS | labels
        self._runs: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._short: list[tuple[int, tuple[str, ...]]] = []
        for i, clause in enumerate(book.clauses):
            for line in clause.lines:
                words = _words(line)
                content = [w for w in words if w not in self._empty]
                if 0 < len(content) <= _SHORT:
                    self._short.append((i, tuple(dict.fromkeys(content))))
                for run in zip(*(words[k:] for k in range(_RUN)), strict=False):
                    if i not in self._runs.get(run, ()):
                        self._runs[run] = (*self._runs.get(run, ()), i)

    def quoted(self, reasoning: str) -> dict[int, str]:
        """Index of each clause whose words occur → the longest such words."""
        words = _words(reasoning[:_LONGEST])
        known = set(words)
        found = {i: " … ".join(content) for i, content in self._short if known.issuperset(content)}
        return found | self._longest_runs(words)

    def _longest_runs(self, words: list[str]) -> dict[int, str]:
        open_: dict[int, tuple[int, int]] = {}
        best: dict[int, tuple[int, int]] = {}
        for at, run in enumerate(zip(*(words[k:] for k in range(_RUN)), strict=False)):
            for i in self._runs.get(run, ()):
                start, end = open_.get(i, (at, at))
                open_[i] = (start if end == at + _RUN - 1 else at, at + _RUN)
                if _length(open_[i]) > _length(best.get(i, (0, 0))):
                    best[i] = open_[i]
        shown = {i: words[start:end] for i, (start, end) in best.items()}
        return {i: _phrase(run) for i, run in shown.items() if sum(w not in self._empty for w in run) >= _CONTENT}


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _phrase(words: Iterable[str]) -> str:
    listed = list(words)
    return " ".join(listed[:_LONGEST_PHRASE]) + (" …" if len(listed) > _LONGEST_PHRASE else "")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
