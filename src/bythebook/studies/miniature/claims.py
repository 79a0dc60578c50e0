"""Claims of a study held against its records: as a table, and as `bythebook reproduce --json` prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bythebook.studies.kept import difference_report, points, table_row
from bythebook.studies.miniature.arms import QuantityName
from bythebook.studies.miniature.figures import CEILING, Comparison, Found

__all__ = ["claim_reports", "claims_table"]

_RULE = (
    "A claim that one arm is better is *confirmed* if the interval of every difference lies above 0, and *not seen "
    "here* if one does not; a claim that two are alike is *confirmed* if the interval lies within the margin, *not "
    "seen here* if it lies outside. *Cannot be tested at this size*: fewer than two seeds, an arm is missing, the "
    f"interval reaches over a margin, or all figures are above {100 * CEILING:g} %."
)


def claim_reports(claims: Sequence[Found], tests: Mapping[str, str]) -> list[dict[str, Any]]:
    """One object a claim; `tests` says what a split is called."""
    return [
        {
            "claim": f.claim.said,
            "test": tests[f.claim.split],
            "quantity": f.claim.quantity,
            "verdict": f.verdict,
            "differences": [difference_report(c.better, c.than, c.found) for c in f.comparisons],
        }
        for f in claims
    ]


def claims_table(claims: Sequence[Found], tests: Mapping[str, str]) -> str:
    """The claims with their verdicts, under the rule that these follow."""
    head = ["claim", "test", "difference, points", "verdict"]
    lines = ["### Claims", "", _RULE, "", table_row(head), table_row(["---"] * len(head))]
    for found in claims:
        differences = "; ".join(_difference_text(c, found.claim.quantity) for c in found.comparisons)
        lines.append(table_row([found.claim.said, tests[found.claim.split], differences, f"**{found.verdict}**"]))
    return "\n".join(lines)


def _difference_text(comparison: Comparison, quantity: QuantityName) -> str:
    """In points; of lengths in tokens."""
    found = comparison.found
    if found is None or quantity != "length":
        return points(found)
    return f"{found.difference:+.1f} [{found.low:+.1f}, {found.high:+.1f}] tokens"
