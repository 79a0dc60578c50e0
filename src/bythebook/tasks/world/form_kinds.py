"""The kinds of procedural forms: their keys, how each is labelled on paper, and what else stands there.

Pharmacy slips and delivery notes are those of training; lab sheets and repair tickets are out of domain: other keys,
other labels, other values, among them the list of indicators that the paper's reports have.
"""

from __future__ import annotations

from typing import NamedTuple

from bythebook.schema.key_values import Key, KeySchema

__all__ = ["FORMS", "OOD_FORMS", "Field", "Form", "Rows", "schema_of"]


class Field(NamedTuple):
    """One key and how forms print it."""

    key: str
    description: str
    kind: str
    """Of value (`form_values`)."""
    labels: tuple[str, ...] = ()
    """What stands in front of the value; a column of a list has none."""


class Rows(NamedTuple):
    """The list of a form, a line an item."""

    key: str
    description: str
    columns: tuple[Field, ...]
    heading: str


class Form(NamedTuple):
    """A kind of document."""

    name: str
    headings: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Rows
    """Without columns: it has no list."""
    decoys: tuple[tuple[str, str], ...]
    """(label, kind of value) of lines that no key asks for, though the value looks like one of those asked for."""
    endings: tuple[str, ...]


FORMS: tuple[Form, ...] = (
    Form(
        "pharmacy slip",
        ("PHARMACY SLIP", "DISPENSING SLIP"),
        (
            Field("pharmacy", "name of the pharmacy", "shop", ("Pharmacy", "Dispensed at")),
            Field("date", "day on which it was dispensed", "date", ("Date", "Dispensed on")),
            Field("patient", "who gets the drugs", "person", ("Patient", "For")),
            Field("doctor", "who prescribed them", "person", ("Doctor", "Prescribed by")),
            Field("paid", "amount that was paid", "money", ("Paid", "Amount")),
        ),
        Rows(
            "drugs",
            "one for each drug",
            (
                Field("name", "name of the drug", "drug"),
                Field("dose", "strength of one tablet", "dose"),
                Field("tablets", "how many tablets", "count"),
            ),
            "Drugs",
        ),
        (("Valid until", "date"), ("Served by", "person"), ("Change", "money"), ("Till", "count")),
        ("Keep out of reach of children", "Ask us about side effects"),
    ),
    Form(
        "delivery note",
        ("DELIVERY NOTE", "GOODS DELIVERED"),
        (
            Field("sender", "who sends the goods", "shop", ("Sender", "From")),
            Field("number", "number of the note", "number", ("Note no", "Number")),
            Field("date", "day of the delivery", "date", ("Date", "Delivered on")),
            Field("driver", "who brought the goods", "person", ("Driver", "Brought by")),
            Field("time", "hour of arrival", "time", ("Time", "Arrived at")),
        ),
        Rows(
            "items",
            "one for each article",
            (Field("quantity", "how many pieces", "count"), Field("article", "what was delivered", "article")),
            "Goods",
        ),
        (("Ordered on", "date"), ("Customer no", "number"), ("Packed by", "person"), ("Left depot at", "time")),
        ("Check the goods on arrival", "Pallets remain our property"),
    ),
)

OOD_FORMS: tuple[Form, ...] = (
    Form(
        "lab sheet",
        ("LAB SHEET", "BLOOD WORK"),
        (
            Field("patient", "whose blood it is", "person", ("Patient", "Name")),
            Field("taken", "day on which blood was taken", "date", ("Taken", "Drawn on")),
            Field("sample", "number of the sample", "number", ("Sample", "Tube")),
            Field("reader", "who signs the results", "person", ("Signed", "Read by")),
        ),
        Rows(
            "indicators",
            "one for each reading",
            (
                Field("indicator", "what was measured", "reading"),
                Field("result", "the value found", "result"),
                Field("unit", "its unit", "unit"),
            ),
            "Results",
        ),
        (("Printed", "date"), ("Courier", "person"), ("Room", "count")),
        ("Results hold for this sample alone",),
    ),
    Form(
        "repair ticket",
        ("REPAIR TICKET", "WORKSHOP TICKET"),
        (
            Field("workshop", "name of the workshop", "shop", ("Workshop", "Taken in by")),
            Field("customer", "who brought the device", "person", ("Customer", "Owner")),
            Field("device", "what is to be mended", "device", ("Device", "Item")),
            Field("complaint", "what is wrong with it", "complaint", ("Complaint", "Problem")),
            Field("ready", "day from which it can be fetched", "date", ("Ready", "Fetch from")),
            Field("price", "what the repair costs", "money", ("Price", "To pay")),
        ),
        Rows(
            "parts",
            "one for each new part",
            (Field("part", "what was replaced", "part"), Field("price", "what the part costs", "money")),
            "New parts",
        ),
        (("Brought in", "date"), ("Mended by", "person"), ("Deposit", "money")),
        ("We keep devices for three months",),
    ),
)


def schema_of(form: Form) -> KeySchema:
    """The keys of a form as a schema."""
    scalars = tuple(Key(name=f.key, description=f.description) for f in form.fields)
    if not form.rows.columns:
        return KeySchema(keys=scalars)
    columns = tuple(Key(name=f.key, description=f.description) for f in form.rows.columns)
    rows = Key(name=form.rows.key, description=form.rows.description, keys=columns, many=True)
    return KeySchema(keys=(*scalars, rows))
