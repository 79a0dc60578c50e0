"""Which kinds of gold answers there are: a reward says under `reads` which of them it judges by."""

from __future__ import annotations

from typing import Literal

from bythebook.schema import ExtractionGold, Gold

__all__ = ["BOTH", "EXTRACTION", "FORM_OF", "LABEL", "Form"]

Form = Literal["label", "extraction"]
"""`label`: one relation of two marked mentions (`Gold`); `extraction`: entities and relations (`ExtractionGold`)."""

LABEL: tuple[Form, ...] = ("label",)
EXTRACTION: tuple[Form, ...] = ("extraction",)
BOTH: tuple[Form, ...] = ("label", "extraction")
FORM_OF: dict[type, Form] = {Gold: "label", ExtractionGold: "extraction"}
