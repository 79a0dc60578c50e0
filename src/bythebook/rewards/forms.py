"""Which kinds of gold answers there are: a reward says under `reads` which of them it judges by."""

from __future__ import annotations

from typing import Literal

from bythebook.schema import ExtractionGold, Gold
from bythebook.schema.answers import AnswerGold
from bythebook.schema.circuits import CircuitGold
from bythebook.schema.key_values import KeyValueGold
from bythebook.schema.table_answers import TableGold

__all__ = ["ANSWER", "BOTH", "CIRCUIT", "EXTRACTION", "FORM_OF", "KEY_VALUES", "LABEL", "TABLE", "Form"]

Form = Literal["label", "extraction", "answer", "table", "key_values", "circuit"]
"""`label`: one relation of two marked mentions (`Gold`); `extraction`: entities and relations (`ExtractionGold`);
`answer`: a free answer to a question (`AnswerGold`); `table`: an answer about a table (`TableGold`); `key_values`:
values under keys (`KeyValueGold`); `circuit`: a circuit to be written (`CircuitGold`)."""

LABEL: tuple[Form, ...] = ("label",)
EXTRACTION: tuple[Form, ...] = ("extraction",)
ANSWER: tuple[Form, ...] = ("answer",)
TABLE: tuple[Form, ...] = ("table",)
KEY_VALUES: tuple[Form, ...] = ("key_values",)
CIRCUIT: tuple[Form, ...] = ("circuit",)
BOTH: tuple[Form, ...] = ("label", "extraction")
FORM_OF: dict[type, Form] = {
    Gold: "label",
    ExtractionGold: "extraction",
    AnswerGold: "answer",
    TableGold: "table",
    KeyValueGold: "key_values",
    CircuitGold: "circuit",
}
