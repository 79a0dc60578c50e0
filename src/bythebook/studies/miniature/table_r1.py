"""Table-R1 in miniature: small generated tables, from a start that reads one table in three and keeps the form in three
answers of five.

All arms are trained on Markdown alone and differ in what they pay for the form. The start has seen both serialisations,
so that asking in CSV tells whether what RL adds hangs on the one it was trained in.
"""

from __future__ import annotations

from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, Questions

__all__ = ["TABLE_R1"]

_EXACT, _VERIFIED = ("lookup", "count", "max"), ("claim",)
"""Kinds of questions whose answers are lists of cells or numbers (TQA), and statements to verify (TFV)."""
_CSV = {"serialisation": "csv"}


def _paid(name: str, label: str, *overrides: str) -> Arm:
    return Arm(name, label, "table_r1_tiny", overrides, begins_with=START.name)


TABLE_R1 = Miniature(
    system="table_r1",
    title="Table-R1: rewards for answers about tables, and for their form",
    paper="arXiv 2505.23621",
    arms=(
        Arm(
            START.name,
            "start, of mixed care and form",
            "table_r1_start_tiny",
            steps=760,
            data_seed=1000,
        ),
        _paid("rl", "RL, form weighs 0.1"),
        _paid("no_weight", "RL, form weighs 0", "reward.options.format_weight=0"),
        _paid("unpaid", "RL, answers alone", "reward.name=table_r1_evaluation", "reward.options={}"),
        _paid("release", "RL as released, form weighs 1", "reward.name=table_r1_release", "reward.options={}"),
        _paid(
            "base",
            "as released for base models, form by steps",
            "reward.name=table_r1_release",
            "reward.options={form: base}",
        ),
        Arm("start_csv", "start, asked in CSV", begins_with=START.name, asked=_CSV),
        Arm("rl_csv", "RL, form weighs 0.1, asked in CSV", begins_with="rl", asked=_CSV),
    ),
    claims=(
        Claim("RL raises exact match on held-out tables", "rl", (START.name,), split="id", kinds=_EXACT),
        Claim("RL raises exact match on themes never seen", "rl", (START.name,), kinds=_EXACT),
        Claim("RL raises TFV on held-out tables", "rl", (START.name,), split="id", kinds=_VERIFIED),
        Claim("RL raises TFV on themes never seen", "rl", (START.name,), kinds=_VERIFIED),
        Claim("What it learnt in Markdown holds in CSV", "rl_csv", ("start_csv",)),
        Claim("RL brings at least 95 % of the answers into form", "rl", (), "format", "id", above=0.95),
        Claim("With format weight 0 accuracy is the same (within 5 points)", "no_weight", ("rl",), margin=0.05),
        Claim("Form is learnt better where it is paid than where it is not", "rl", ("unpaid",), "format"),
        Claim("A small weight is better for accuracy than the release's", "rl", ("release",)),
        Claim("Form by steps is learnt better than all or nothing", "base", ("release",), "format"),
    ),
    questions=Questions(
        task="world_tables",
        options={"small": True, "fewest": 3, "rows": 3},
        splits={"id": "held-out tables of the trained themes", "ood": "tables of themes never seen"},
    ),
    curves=("reward", "format_rate", "accuracy", "completion_length", "entropy", "groups_without_signal"),
    by_kind=True,
)
