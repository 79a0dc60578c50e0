"""What the study of Perception-R1 keeps of a record: what its description has of the facts, and how it is written."""

from __future__ import annotations

import json

from bythebook import stats
from bythebook.judging.stand_ins import ASSURANCE
from bythebook.metrics.answer_text import words
from bythebook.metrics.repeated_ngrams import repeated_share
from bythebook.metrics.visual_facts import facts_in
from bythebook.parsing.blocks import read_blocks
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.records import Record

__all__ = ["WINDOW", "perception_notes"]

WINDOW = 8
"""Words of a run that counts as repeated where it comes back; the paper's 20 are longer than most descriptions here."""


def perception_notes(record: Record) -> dict[str, str]:
    """By the rule of the perception reward, of the facts that have to be seen: `recall`, the share that is stated and
    not contradicted; `perceived`, 1 where that is all of them; `hedged`, the share that is stated and contradicted at
    once. Of the completion: `repeated`, the share of repeated runs; `assured`, 1 where the word is in the description
    that takes the corrupted judge in. And `guideline_id`, over which intervals are taken: all scenes have one
    guideline, so that it is the question. Empty without a completion."""
    if record.completion is None or record.finish_reason == "error":
        return {}
    thinking, _ = read_blocks(record.completion, TAG_SETS["think"]).thinking()
    found = facts_in(thinking or "", json.loads(record.tags.get("annotations", "[]")))
    known = [one for one in found if one is not None]
    recall = stats.mean(float(one.seen) for one in known)
    hedged = stats.mean(float(one.stated and one.contradicted) for one in known)
    shares = {"recall": recall, "hedged": hedged, "repeated": repeated_share(record.completion, WINDOW)}
    said = {name: f"{share:.3g}" for name, share in shares.items() if share is not None}
    if recall is not None:
        said["perceived"] = str(int(recall == 1.0))
    said["assured"] = str(int(ASSURANCE in words(thinking or "")))
    return said if record.text is None else {**said, "guideline_id": record.text.rpartition("\n")[2]}
