"""A model whose answers of joint extraction the test writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from bythebook.generation import ModelSettings, Sampling
from bythebook.types import Completion

Answer = Callable[[str, int], Any]


def written(ner: Any = None, rel: Any = None) -> str:
    """A completion with these lists; a list that is None is not named."""
    answer = {key: value for key, value in (("ner", ner), ("rel", rel)) if value is not None}
    return f"<think>so</think><answer>{json.dumps(answer, ensure_ascii=False)}</answer>"


class Extractor:
    """Answers with what `answer(text, number of the sample)` gives: a completion, its text, or (ner, rel)."""

    prefilled = False
    settings = ModelSettings(max_new_tokens=64)

    def __init__(self, answer: Answer, name: str = "extractor") -> None:
        self.answer, self.name = answer, name
        self.prompts: list[str] = []
        self.asked: list[str] = []
        self.given: list[str | None] = []

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], sampling: Sampling, progress: Any = None, **_: Any
    ) -> list[list[Completion]]:
        return [[self._completion(prompt[0]["content"], i) for i in range(sampling.n)] for prompt in prompts]

    def _completion(self, prompt: str, number: int) -> Completion:
        title = "# Text" if "\n# Text\n" in prompt else "# Sentence"
        text = prompt.rpartition(f"\n{title}\n")[2].strip()
        given = None
        for name in ("# Entities", "# Pairs"):
            if f"\n{name}\n" in text:
                text, _, given = (part.strip() for part in text.rpartition(f"\n{name}\n"))
        if number == 0:
            self.prompts.append(prompt)
            self.asked.append(text)
            self.given.append(given)
        found = self.answer(text, number)
        if isinstance(found, Completion):
            return found
        return Completion(text=found if isinstance(found, str) else written(*found))

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


DEVICES, PEOPLE = ("pump", "boiler", "press", "kiln"), ("Ann", "Bo")


def by_words(text: str, number: int = 0) -> tuple[list[list[str]], list[list[str]]]:
    """Every device and person, each as often as it stands there; who stands before `runs` operates what follows."""
    words = text.replace(".", "").replace(",", "").split()
    ner = [[w, "Device" if w in DEVICES else "Person"] for w in words if w in DEVICES + PEOPLE]
    rel = [
        [words[i - 1], "Operates", words[i + 2]] for i, w in enumerate(words) if w == "runs" and 0 < i < len(words) - 2
    ]
    return ner, rel
