"""Numbers as text: one way to write a share, a difference and an absent figure, on the page and in every table."""

from __future__ import annotations

__all__ = ["DASH", "interval", "number", "percent", "points"]

DASH = "–"


def percent(value: float | None, digits: int = 1) -> str:
    """A share of 0…1 as a percentage without its sign, an en dash for None."""
    return DASH if value is None else f"{100 * value:.{digits}f}"


def number(value: float | None, digits: int = 1) -> str:
    """A number, an en dash for None."""
    return DASH if value is None else f"{value:.{digits}f}".replace("-", "−")


def points(value: float | None, digits: int = 1) -> str:
    """A difference of two shares in percentage points, always signed; an en dash for None."""
    if value is None:
        return DASH
    text = f"{100 * value:+.{digits}f}".replace("-", "−")
    return text.lstrip("+−") if float(text.replace("−", "-")) == 0 else text


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval of shares as percentages in brackets; nothing if it is unknown."""
    return "" if low is None or high is None else f"[{percent(low, digits)}, {percent(high, digits)}]"
