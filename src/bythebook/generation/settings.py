"""What a model directory says about itself in `prompt.json`: how it wants to be asked.

    {"template": "short", "rendering": "rules", "closed_vocabulary": true, "max_new_tokens": 64}

Directories without the file (every hub model) get the defaults.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError

from bythebook.errors import ModelError, said
from bythebook.prompts import PromptStyle

__all__ = ["ModelSettings", "prompt_style_of", "settings_of", "write_settings"]

_FILE = "prompt.json"


class ModelSettings(PromptStyle):
    """A prompt style, and what else must be known before asking."""

    closed_vocabulary: bool = False
    """The model knows the words of its vocabulary and no others: it spells the rest in pieces it was never taught."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    """How long its completions get at most."""

    @property
    def style(self) -> PromptStyle:
        """The prompt style alone."""
        return PromptStyle(template=self.template, rendering=self.rendering, tags=self.tags)


def settings_of(path: Path | str) -> ModelSettings:
    """The settings of a model directory; the defaults where it has none. ModelError if the file is not valid."""
    file = Path(path) / _FILE
    if not file.is_file():
        return ModelSettings()
    try:
        return ModelSettings.model_validate(json.loads(file.read_text(encoding="utf-8-sig")))
    except ValidationError as error:
        raise ModelError(said(error), file=file) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"can't be read: {error}", file=file) from None


def prompt_style_of(path: Path | str) -> PromptStyle:
    """The prompt style of a model directory; the default where it names none. ModelError if the file is not valid."""
    return settings_of(path).style


def write_settings(path: Path | str, settings: ModelSettings) -> None:
    """Put `settings` into a model directory."""
    text = json.dumps(settings.model_dump(exclude_none=True), indent=2)
    (Path(path) / _FILE).write_text(text + "\n", encoding="utf-8")
