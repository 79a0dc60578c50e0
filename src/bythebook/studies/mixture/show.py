"""What to train on next, as Markdown: proposals beside the best seed run, the surrogates' worth, what was run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bythebook.studies.kept import table_row

__all__ = ["as_markdown"]


def as_markdown(found: dict[str, Any]) -> str:
    """The tables for people; scores are fractions."""
    parts = [_proposals(found), _surrogates(found), _methods(found), _mixtures(found)]
    parts.append("\n".join(f"- {_cell(note)}" for note in found["notes"]))
    return "\n\n".join(parts)


def _proposals(found: dict[str, Any]) -> str:
    domains = found["domains"]
    lines = _head("Weights", ["from", *domains, "predicted", "measured", "distance"])
    for title, row in (("**best seed run**", found["best_seed"]), ("**uniform**", found["uniform"])):
        if row:
            named = title if title == "**uniform**" else f"{title}: {row['name']}"
            lines.append(_weights(named, row["weights"], domains, None, row["mean"], None))
    for row in found["heuristics"]:
        lines.append(_weights(row["name"], row["weights"], domains, None, row["measured"], None))
    for row in found["choices"]:
        name = f"{row['surrogate']}, {row['optimizer']}"
        lines.append(
            _weights(name, row["weights"], domains, row.get("predicted"), row["measured"], row.get("distance"))
        )
    missing = [f"{_of(row)}: {row['why']}" for row in (*found["heuristics"], *found["choices"]) if row["why"]]
    said = f"Score: {', '.join(found['target'])}. Distance: L1 to the nearest mixture that was run."
    return "\n".join([*lines, "", _cell(said), *(f"\nWithout weights: {_cell(why)}" for why in missing)])


def _weights(
    name: str,
    weights: dict[str, float] | None,
    domains: Sequence[str],
    predicted: float | None,
    measured: float | None,
    distance: float | None,
) -> str:
    shares = [_figure(None if weights is None else weights[domain]) for domain in domains]
    return table_row([_cell(name), *shares, _figure(predicted), _figure(measured), _figure(distance, 2)])


def _of(row: dict[str, Any]) -> str:
    return str(row.get("name") or f"{row['surrogate']}, {row['optimizer']}")


def _surrogates(found: dict[str, Any]) -> str:
    columns = ["surrogate", "columns", "rank", "identifiable", "ridge", "test R² of its split"]
    lines = _head("Surrogates", [*columns, "leave-one-out error", "error of the others' mean"])
    for row in found["surrogates"]:
        if row["why"]:
            lines.append(table_row([row["name"], *["–"] * 5, _cell(row["why"]), "–"]))
            continue
        ridge = "–" if row["ridge"] is None else f"{row['ridge']:g}"
        counts = [str(row[key]) for key in ("columns", "rank", "identifiable")]
        errors = [_figure(row[key]) for key in ("error", "error_of_mean")]
        lines.append(table_row([row["name"], *counts, ridge, _figure(row["test_r2"], 2), *errors]))
    return "\n".join(lines)


def _methods(found: dict[str, Any]) -> str:
    lines = _head("What was run, by method", ["method", "mixtures", "best", "", "median", "sd", "least"])
    for row in found["methods"]:
        figures = [_figure(row[key]) for key in ("median", "sd", "least")]
        cells = [_cell(row["method"]), str(row["mixtures"]), _figure(row["best"]), _cell(row["best_name"])]
        lines.append(table_row([*cells, *figures]))
    if found["base"] is not None:
        lines.append(table_row(["before training", "–", _figure(found["base"]), *["–"] * 4]))
    return "\n".join(lines)


def _mixtures(found: dict[str, Any]) -> str:
    head = [
        "mixture",
        *found["domains"],
        "runs",
        "mean",
        "sd",
        "minus uniform, same seeds",
        "minus best seed run, same seeds",
    ]
    lines = _head("What was run, best first", head)
    for row in found["mixtures"]:
        shares = [_figure(row["weights"][domain]) for domain in found["domains"]]
        against = [_difference(row[key]) for key in ("against_uniform", "against_best_seed")]
        cells = [str(row["runs"]), _figure(row["mean"]), _figure(row["sd"]), *against]
        lines.append(table_row([_cell(row["name"]), *shares, *cells]))
    return "\n".join(lines)


def _difference(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{found['difference']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}], {found['seeds']} seeds"


def _head(title: str, columns: Sequence[str]) -> list[str]:
    rule = ["---", *["--:"] * (len(columns) - 1)]
    return [f"### {title}", "", table_row([_cell(name) for name in columns]), table_row(rule)]


def _figure(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _cell(text: str) -> str:
    """Names come from a file: they stay in their cell, and on their line."""
    kept = "".join(c if c.isprintable() else "�" for c in text)
    return kept.replace("|", "\\|").replace("<", "&lt;")
