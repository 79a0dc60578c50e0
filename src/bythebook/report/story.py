"""What happened in a demo, in plain words that stay true whatever the figures are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from bythebook.report.figures import percent, points
from bythebook.report.rows import SummaryRow, edit_rows
from bythebook.report.run import Run
from bythebook.report.scores import Difference, Measure, SetScores, item_scores, paired_difference

__all__ = ["story"]


_Sets = Mapping[str, Mapping[str, SetScores | None]]


def story(run: Run, summary: Sequence[SummaryRow]) -> list[str]:
    """Paragraphs for the head of the page, from `summary_rows(run)` and the records; unknown figures are left out."""
    sets = {row["arm"]: row["sets"] for row in summary}
    told = (_gain, _more_than_sampling, _answers_only, _controls, _obedience)
    return [text for tell in told if (text := tell(run, sets))]


def _figure(
    sets: _Sets, arm: str, measure: Literal["avg_at_k", "maj_at_k", "pass_at_k", "greedy"], of: str = "ood"
) -> float | None:
    scores = sets.get(arm, {}).get(of)
    return scores[measure] if scores else None


def _change(run: Run, arm: str, measure: Measure = "avg") -> Difference | None:
    """Avg@K of `arm` minus `measure` of the start, out of domain."""
    ours = item_scores(run.records(f"{arm}.ood"), run.k, "avg")
    return paired_difference([(ours, item_scores(run.records("start.ood"), run.k, measure))])


def _sure(change: Difference) -> int:
    """+1 or −1 where the interval excludes 0, else 0."""
    if change.low is None or change.high is None:
        return 0
    return 1 if change.low > 0 else -1 if change.high < 0 else 0


def _with_interval(change: Difference) -> str:
    if change.low is None:
        return f"{points(change.mean)} points"
    return f"{points(change.mean)} points, 95 % interval {points(change.low)} to {points(change.high)}"


def _gain(run: Run, sets: _Sets) -> str:
    change = _change(run, "rl")
    if change is None:
        return ""
    verb = {1: "raised", -1: "lowered", 0: "did not measurably change"}[_sure(change)]
    before, after, careful = (percent(_figure(sets, arm, "avg_at_k")) for arm in ("start", "rl", "sft_careful"))
    text = (
        "The embedded model had first imitated annotators of mixed diligence, some careful, some hasty, some guessing: "
        "it could read a guideline and often did not. Reinforcement learning that was paid for right answers only "
        f"{verb} accuracy on guidelines never seen: {before} % before, {after} % after (Avg@{run.k}; "
        f"{_with_interval(change)}). "
    )
    text += (
        "It mostly elicits what the mixture hid."
        if _sure(change) > 0
        else "In this run it did not bring out what the mixture hid."
    )
    if _figure(sets, "sft_careful", "avg_at_k") is not None:
        text += f" Fine-tuning on careful reasoning, which is what demonstrations would buy, reached {careful} %."
    return text


def _more_than_sampling(run: Run, sets: _Sets) -> str:
    """Whether RL's single samples beat what the start reaches without training: greedy, by majority, at best."""
    change, reach = _change(run, "rl"), _figure(sets, "start", "pass_at_k")
    if change is None or reach is None:
        return ""
    text = f"Before RL at least one of {run.k} samples was right for {percent(reach)} % of the items (Pass@{run.k})."
    greedy, majority = _change(run, "rl", "greedy"), _change(run, "rl", "maj")
    if _sure(change) > 0 and greedy is not None and majority is not None:
        rivals = (
            f"the greedy answers ({percent(_figure(sets, 'start', 'greedy'))} %) and the majority votes "
            f"({percent(_figure(sets, 'start', 'maj_at_k'))} %) from before"
        )
        text += (
            f" After it a single sample beats {rivals}, so this is more than sharper sampling."
            if _sure(greedy) > 0 and _sure(majority) > 0
            else f" After it a single sample does not measurably beat both {rivals}: it may be sharper sampling alone."
        )
    return text


def _answers_only(run: Run, sets: _Sets) -> str:
    change = _change(run, "sft_answers")
    end, start = _figure(sets, "sft_answers", "avg_at_k"), _figure(sets, "start", "avg_at_k")
    if change is None or end is None or start is None:
        return ""
    text = f"Fine-tuning on the same answers without reasoning ended at {percent(end)} % out of domain, "
    if _sure(change) > 0:
        text += f"above its start at {percent(start)} %."
    elif _sure(change) == 0:
        text += f"not measurably different from its start at {percent(start)} %."
    else:
        reading = "it stopped reading the guideline" if end < start / 2 else "it reads the guideline less than before"
        text += f"below its start at {percent(start)} %: {reading}."
    inside = _figure(sets, "sft_answers", "avg_at_k", "id")
    inside_start = _figure(sets, "start", "avg_at_k", "id")
    if inside is not None and inside_start is not None:
        text += f" In domain it went from {percent(inside_start)} % to {percent(inside)} %."
    return text


def _controls(run: Run, sets: _Sets) -> str:
    random_reward, form, real = _change(run, "rl_random"), _change(run, "rl_format"), _change(run, "rl")
    parts = []
    if random_reward is not None:
        parts.append(f"random reward {points(random_reward.mean)} points")
    if form is not None:
        text = f"reward for the form alone {points(form.mean)} points"
        if real is not None and _sure(real) > 0 and _sure(form) > 0:
            text += (
                f", {100 * form.mean / real.mean:.0f} % of the true reward's gain (not a null control: careful "
                "completions are well formed more often, so paying for the form favours them)"
            )
        parts.append(text)
    return f"Change of out-of-domain Avg@{run.k} under the controls: " + "; ".join(parts) + "." if parts else ""


def _obedience(run: Run, sets: _Sets) -> str:
    rows = [row for row in edit_rows(run) if row["arm"] == "rl" and row["set"] in ("", "ood")]
    wrong = next((row for row in rows if row["edit"] == "wrong_guideline"), None)
    kept = [row["kept"] for row in rows if row["kept"] is not None]
    parts = []
    if wrong is not None:
        ordinary = "" if wrong["ordinary"] is None else f", with its own in {percent(wrong['ordinary'])} %"
        chance = "" if wrong["chance"] is None else f" (chance: {percent(wrong['chance'])} %)"
        parts.append(
            f"With a wrong guideline in the prompt the RL model is right in "
            f"{percent(wrong['edited'])} %{chance}{ordinary}."
        )
    if kept:
        parts.append(
            "Where an edit of the guideline changes the right answer, its accuracy by the edited text is at least "
            f"{percent(min(kept), 0)} % of the ordinary one."
        )
    return " ".join(parts)
