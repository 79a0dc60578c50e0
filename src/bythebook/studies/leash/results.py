"""The results page of the leash, recomputed from kept records:

python -m bythebook.studies.leash.results --keep runs/invisible_leash docs/results/invisible_leash
python -m bythebook.studies.leash.results docs/results/invisible_leash
python -m bythebook.studies.leash.results --plot docs/images/invisible_leash.png docs/results/invisible_leash
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bythebook.errors import InputError
from bythebook.stats import Difference
from bythebook.stats.pass_curves import pass_curve_of, powers_of_two
from bythebook.stats.support import exchange_p, null_split, support_counts, support_metrics
from bythebook.studies.kept import difference_report, interval_text, keep, results_script, share_text, table_row
from bythebook.studies.leash.arms import ARMS, SAMPLERS
from bythebook.studies.leash.figures import (
    ANSWERS,
    CEILING,
    CLAIMS,
    ENOUGH,
    Claim,
    Compared,
    Found,
    compared,
    difference,
    found_of,
    over_seeds,
    perplexities,
)
from bythebook.studies.leash.plots import draw_page

__all__ = ["keep_experiments", "results", "verdicts"]

_TRAINED = tuple(name for name, arm in ARMS.items() if arm.recipe is not None)
_RULE = (
    "*Confirmed*: the interval lies on the side of 0 that is claimed, or, of what shall be alike, within the margin. "
    "*Not seen here*: it does not. *Cannot be tested at this size*: fewer than two seeds; an arm is missing; both "
    f"pass@k are above {100 * CEILING:g} %; fewer than {ENOUGH} problems are solved by one model only; or the interval "
    "reaches over a margin."
)
_SUPPORT = (
    "Problems of all seeds, by who solves them within k samples: both, only the base (lost), only the trained model "
    "(new), neither. NSCR = (new − lost) / (both + new + lost), with a 95 % bootstrap interval over seeds × "
    "guidelines. *Base against itself*: the middle 95 % of NSCR over 400 random splits of the base's samples into "
    "twice k; *holds 0*: share of these splits whose own interval does, which ought to be 95 %; *p*: of exchanging the "
    "two models' samples. A metric that is 0/0 is a dash."
)


def keep_experiments(run: Path, folder: Path) -> None:
    """Copy what the tables need of `<run>/seed*`: slim records, scores, size and environment."""
    for seed in sorted(run.glob("seed*")):
        keep(seed, folder / seed.name)
        shutil.copyfile(seed / "size.json", folder / seed.name / "size.json")
        shutil.copytree(seed / "scores", folder / seed.name / "scores", dirs_exist_ok=True)


def results(folder: Path) -> str:
    """All tables, as Markdown, over `<folder>/seed*`. InputError where nothing is kept."""
    seeds = _seeds(folder)
    said = (
        f"{len(seeds)} seeds, questions under never-seen guidelines. Figures are means over seeds, with Student's 95 % "
        "interval over seeds in brackets. Differences are paired by question, with a 95 % bootstrap interval over "
        "seeds × guidelines. *Guessing* draws from the base's answers to the other questions, without reading any."
    )
    tables = [_pass_table(seeds, sampler) for sampler in SAMPLERS]
    tables += [_support_table(seeds, sampler) for sampler in SAMPLERS]
    return "\n\n".join([said, *tables, _uncertainty_table(seeds), _claims_table(seeds)])


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """The claims, as `bythebook reproduce --json` prints them."""
    return [
        {
            "claim": found.claim.said,
            "test": SAMPLERS[found.claim.sampler].label,
            "quantity": found.claim.quantity,
            "verdict": found.verdict,
            "differences": [difference_report(found.claim.arm, "base", found.difference)],
        }
        for found in (found_of(claim, _seeds(folder)) for claim in CLAIMS)
    ]


def _seeds(folder: Path) -> list[Path]:
    seeds = sorted(folder.glob("seed*"))
    if not seeds or not any(compared(seeds, arm, sampler) for arm in _TRAINED for sampler in SAMPLERS):
        raise InputError("holds no kept records of this study", file=folder, remedy="make them with --keep")
    return seeds


def _arms(seeds: Sequence[Path], sampler: str) -> list[tuple[str, Compared]]:
    found = ((arm, compared(seeds, arm, sampler)) for arm in _TRAINED)
    return [(arm, of) for arm, of in found if of is not None]


def _head(title: str, columns: Sequence[str]) -> list[str]:
    return [title, "", table_row(columns), table_row(["---", *["--:"] * (len(columns) - 1)])]


def _pass_table(seeds: Sequence[Path], sampler: str) -> str:
    arms = _arms(seeds, sampler)
    ks = powers_of_two(min((of.most for _, of in arms), default=0))[::2]
    lines = _head(f"### pass@k in %, {SAMPLERS[sampler].label}", ["", *(f"k = {k}" for k in ks)])
    for number, (arm, of) in enumerate(arms):
        sides = [over_seeds(of, "pass", k) for k in ks]
        if number == 0:
            lines.append(table_row([ARMS["base"].label, *(share_text(base) for base, _ in sides)]))
            lines.append(table_row(["guessing", *(_guessed(of, k) for k in ks)]))
        lines.append(table_row([ARMS[arm].label, *(share_text(trained) for _, trained in sides)]))
        cells = [_signed(difference(of, "pass", k), 100, 1) for k in ks]
        lines.append(table_row(["difference, points", *cells]))
    return "\n".join(lines)


def _guessed(of: Compared, k: int) -> str:
    """pass@k of who draws from the base's answers to the other questions."""
    known = of.pair.base.guess[~np.isnan(of.pair.base.guess)]
    return f"{100 * pass_curve_of(known, [k]).mean():.1f}" if known.size else "–"


def _support_table(seeds: Sequence[Path], sampler: str) -> str:
    shares = ["both", "lost", "new", "neither"]
    columns = ["", "k", *shares, "SRR", "NDR", "SDS", "NSCR", "base against itself", "holds 0", "p"]
    lines = _head(f"### Support, {SAMPLERS[sampler].label}", columns)
    for arm, of in _arms(seeds, sampler):
        for k in (k for k in powers_of_two(of.most) if k == of.most or k in (1, 8)):
            base, trained = of.pair.base.hits(k), of.pair.trained.hits(k)
            counts = support_counts(base, trained, k)
            metrics = support_metrics(counts)
            whole = of.pair.base.samples >= 2 * k
            null = null_split(of.pair.base.hits(), of.pair.base.samples, k) if whole else None
            p = exchange_p(base, trained, k)
            cells = [
                *(f"{count}" for count in counts),
                *("–" if x is None else f"{x:.3f}" for x in (metrics.srr, metrics.ndr, metrics.sds)),
                _signed(difference(of, "nscr", k), 1, 3),
                "–" if null is None else f"{null.mean:+.3f} [{null.low:+.3f}, {null.high:+.3f}]",
                "–" if null is None else f"{100 * null.coverage:.1f} %",
                "–" if p is None else f"{p:.4f}",
            ]
            lines.append(table_row([ARMS[arm].label, str(k), *cells]))
    return "\n".join([*lines[:1], "", _SUPPORT, *lines[1:]])


def _uncertainty_table(seeds: Sequence[Path]) -> str:
    most = min((of.most for sampler in SAMPLERS for _, of in _arms(seeds, sampler)), default=0)
    answers = f"entropy of {min(ANSWERS, most)} answers"
    columns = ["", "sampler", answers, "entropy of a token", "perplexity under the base"]
    lines = _head("### How sure the models are, in nats", columns)
    for sampler in SAMPLERS:
        for number, (arm, of) in enumerate(_arms(seeds, sampler)):
            sides = [over_seeds(of, "answer_entropy"), over_seeds(of, "token_entropy"), perplexities(of)]
            for side, name in ((0, "base"), (1, arm)):
                if side or not number:
                    cells = [interval_text(both[side], times=1, digits=3) for both in sides]
                    lines.append(table_row([ARMS[name].label, sampler, *cells]))
    return "\n".join(lines)


def _claims_table(seeds: Sequence[Path]) -> str:
    head = ["claim", "samples drawn from", "difference", "verdict"]
    lines = ["### Claims", "", _RULE, "", table_row(head), table_row(["---"] * len(head))]
    for found in (found_of(claim, seeds) for claim in CLAIMS):
        claim = found.claim
        cells = [claim.said, SAMPLERS[claim.sampler].label, _said(found), f"**{found.verdict}**"]
        lines.append(table_row(cells))
    return "\n".join(lines)


def _said(found: Found) -> str:
    times, digits = (100, 1) if found.claim.quantity == "pass" else (1, 3)
    return f"{_name(found.claim)} {_signed(found.difference, times, digits)}"


def _name(claim: Claim) -> str:
    within = f"@{claim.k}" if claim.k else ", most samples"
    names = {"pass": f"pass{within}", "nscr": f"NSCR{within}", "nats": "nats a token under the base"}
    return names.get(claim.quantity, claim.quantity.replace("_", " "))


def _signed(found: Difference | None, times: float, digits: int) -> str:
    if found is None:
        return "–"
    middle, low, high = (f"{times * x:+.{digits}f}" for x in found)
    return f"{middle} [{low}, {high}]"


def main() -> int:
    """The script."""
    said = "The tables of the leash, from kept records."
    return results_script(said, results, keep_experiments, draw_page)


if __name__ == "__main__":
    sys.exit(main())
