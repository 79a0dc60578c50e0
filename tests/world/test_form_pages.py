"""Documents as pages: the same every time, showing every letter, and worn without harm to what they say."""

from __future__ import annotations

import hashlib
import random
import string
import sys
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bythebook.errors import MissingExtraError
from bythebook.tasks import task_named
from bythebook.tasks.pictures import picture_of
from bythebook.tasks.world.form_kinds import FORMS, OOD_FORMS
from bythebook.tasks.world.form_page import WIDTH, pixels, png
from bythebook.tasks.world.form_values import VALUES, drawn
from bythebook.tasks.world.strokes import HEIGHT, strokes_of, width_of

LINES = ["LAB SHEET", "Patient: Mira Brandt", "Taken : 03.11.2019", "zinc | 12.5 | mg/l"]
DIGEST = "72c1c17d39f17a0d"


def ink(page: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where something is written on a page without wear, whose paper is nearly white."""
    return page.min(axis=2) < 160


def test_pixels_are_pinned() -> None:
    page = pixels(LINES, seed="x", wear=0.5)
    assert (page.dtype, page.shape) == (np.uint8, (480, WIDTH, 3))
    assert hashlib.sha256((page // 8).tobytes()).hexdigest()[:16] == DIGEST


def test_a_page_hangs_on_its_seed_and_on_nothing_else() -> None:
    first = pixels(LINES, seed="a")
    assert (first == pixels(LINES, seed="a")).all()
    assert (first != pixels(LINES, seed="b")).any()


def test_a_clean_page_has_ink_where_its_lines_are_and_nowhere_else() -> None:
    page = ink(pixels(LINES, wear=0.0))
    rows = np.flatnonzero(page.any(axis=1))
    gaps = np.flatnonzero(np.diff(rows) > 1)
    assert len(gaps) + 1 >= len(LINES)
    assert rows.max() < 34 + 33 * len(LINES)
    assert not ink(pixels([], wear=0.0)).any()
    for number in range(len(LINES)):
        shorter = [line if n != number else "" for n, line in enumerate(LINES)]
        gone = page & ~ink(pixels(shorter, wear=0.0))
        assert gone.sum() > 100


def test_another_value_is_other_ink_in_its_own_line_alone() -> None:
    other = [*LINES[:2], "Taken : 04.11.2019", LINES[3]]
    changed = np.flatnonzero((pixels(LINES, seed="s") != pixels(other, seed="s")).any(axis=(1, 2)))
    assert len(changed) > 0
    assert 34 + 33 * 2 - 12 <= changed.min() <= changed.max() <= 34 + 33 * 3 + 12


def test_wear_darkens_paper_and_leaves_ink_darker_than_it() -> None:
    clean, worn = (pixels(LINES, seed="w", wear=wear).astype(float) for wear in (0.0, 1.0))
    assert (clean != worn).mean() > 0.9
    assert worn.mean() < clean.mean() - 10
    written = pixels(LINES, seed="w", wear=1.0).min(axis=2)[30:160, 30:260]
    paper = np.median(written)
    assert (written < paper - 90).mean() > 0.02  # as black on grey as before
    shades = worn.mean(axis=2)
    assert np.percentile(shades, 20) > 140  # no paper is as dark as ink


def test_some_lines_are_written_by_hand_and_the_heading_never() -> None:
    seen = set()
    for seed in range(12):
        page = pixels(["HEAD", "Paid 12.50"], seed=str(seed), wear=0.0).astype(int)
        coloured = np.ptp(page, axis=2) > 40
        assert not coloured[:60].any()
        seen.add(bool(coloured[60:].any()))
    assert seen == {True, False}


def test_every_character_of_the_forms_has_strokes_of_its_own() -> None:
    rng = random.Random(0)
    texts = [drawn(kind, rng) for kind in VALUES for _ in range(40)]
    for form in (*FORMS, *OOD_FORMS):
        texts += [*form.headings, *form.endings, form.rows.heading, *(label for label, _ in form.decoys)]
        texts += [label for field in form.fields for label in field.labels]
    needed = set("".join(texts)) | set(" :|") | set(string.ascii_letters + string.digits)
    box = _shape("\N{SNOWMAN}")
    shapes = {character: _shape(character) for character in needed - {" "}}
    assert box not in shapes.values()
    assert len(set(shapes.values())) == len(shapes)
    assert all(0 <= y <= HEIGHT for shape in shapes.values() for stroke in shape for _, y in stroke)


def _shape(character: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    ((strokes),) = strokes_of(character)
    return tuple(tuple((float(x), float(y)) for x, y in stroke) for stroke in strokes)


def test_letters_by_hand_are_never_alike_and_stay_near_their_place() -> None:
    written = strokes_of("aaaa", random.Random(3))
    shapes = [np.concatenate(letter) - np.concatenate(letter).min(axis=0) for letter in written]
    assert all(not np.array_equal(shapes[0], shape) for shape in shapes[1:])
    for place, letter in enumerate(written):
        points = np.concatenate(letter)
        start = width_of("a" * place)
        assert start - 2 < points[:, 0].min() <= points[:, 0].max() < start + 6
        assert -1.5 < points[:, 1].min() <= points[:, 1].max() < HEIGHT + 1.5


def test_a_long_line_is_written_smaller_and_a_long_document_on_a_longer_page() -> None:
    page = ink(pixels(["W" * 200], wear=0.0))
    assert np.flatnonzero(page.any(axis=0)).max() < WIDTH - 30
    assert pixels(["x"] * 40, wear=0.0).shape[0] > 40 * 33


@settings(deadline=None, max_examples=15)
@given(st.lists(st.text(max_size=12), max_size=3), st.floats(0, 1))
def test_any_text_can_be_written(lines: list[str], wear: float) -> None:
    assert pixels(lines, wear=wear).shape[1] == WIDTH


def test_a_page_is_a_png_of_these_pixels() -> None:
    image = pytest.importorskip("PIL.Image")
    written = png(LINES, seed="3")
    assert written == png(LINES, seed="3")
    assert written.startswith(b"\x89PNG\r\n\x1a\n")
    assert np.array_equal(np.asarray(image.open(BytesIO(written))), pixels(LINES, seed="3"))


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[images\]"):
        png(LINES)


def test_wear_changes_the_page_and_not_the_gold() -> None:
    pytest.importorskip("PIL")
    clean, worn = (task_named("world_forms").read(None, id=3, images=True, wear=w)["id"] for w in (0.0, 0.9))
    for one, other in zip(clean, worn, strict=True):
        assert (one.id, one.text, one.reference) == (other.id, other.text, other.reference)
        assert picture_of(one) != picture_of(other)
