"""All tricks on extraction, in the order of their kinds."""

from __future__ import annotations

from bythebook.studies.attack import (
    tricks_answers,
    tricks_characters,
    tricks_form,
    tricks_json,
    tricks_judge,
    tricks_thinking,
)
from bythebook.studies.attack.attempts import Trick

__all__ = ["TRICKS"]

TRICKS: tuple[Trick, ...] = (
    *tricks_answers.TRICKS,
    *tricks_form.TRICKS,
    *tricks_json.TRICKS,
    *tricks_characters.TRICKS,
    *tricks_thinking.TRICKS,
    *tricks_judge.TRICKS,
)
