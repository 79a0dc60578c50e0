"""Documents as pages, for models that see: their lines written on paper that has been folded, turned and soiled.

Every pixel is computed here by sums, products and square roots, and the grain is a hash of the seed, so that a page is
the same on every machine. No line is cut and no letter hidden: what the gold says can be read.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bythebook.errors import MissingExtraError
from bythebook.tasks.world.strokes import Stroke, strokes_of, width_of

__all__ = ["WIDTH", "pixels", "png"]

WIDTH = 480
"""Pixels of a page from left to right."""
_SHORTEST, _MARGIN, _PITCH = 480, 34, 33
"""Pixels of the height at least, of the rim, and from line to line."""
_UNIT = 2.6
"""Pixels of a grid unit of the letters (`strokes`)."""
_HANDWRITTEN = 0.45
"""Share of the lines, but for the heading, that are filled in by hand."""
_TURN, _SHIFT = 0.03, 4.0
"""Largest slope of a turned page; pixels by which a crease moves what lies below it."""
_PRINT, _PENS = (34, 34, 38), ((28, 44, 120), (20, 20, 24), (70, 34, 96))
_PEN_WIDTH = {"print": 1.25, "hand": 0.95}
"""Half of the breadth of a stroke in pixels."""

Ink = NDArray[np.float64]
"""(rows, columns): how much of a pixel is covered, from 0 to 1."""


class _Crease(NamedTuple):
    """A fold across the page."""

    upright: bool
    place: float
    """Pixels from the left, or from the top."""


def pixels(lines: Sequence[str], *, seed: str = "", wear: float = 0.5) -> NDArray[np.uint8]:
    """(rows, columns, 3) values of red, green and blue. `wear` from 0, a clean straight sheet, to 1 says how far the
    page is turned, folded, stained and grained; what is written, and which lines by hand, hangs on `seed` alone."""
    height = max(_SHORTEST, 2 * _MARGIN + _PITCH * len(lines))
    hand, paper = (random.Random(f"bythebook page/{part}/{seed}") for part in ("hand", "paper"))
    pen = hand.choice(_PENS)
    slope = wear * paper.uniform(-_TURN, _TURN)
    creases = _creases(height, paper, wear)
    inks = {"print": np.zeros((height, WIDTH)), "hand": np.zeros((height, WIDTH))}
    for number, line in enumerate(lines):
        by_hand = bool(number) and hand.random() < _HANDWRITTEN
        kind = "hand" if by_hand else "print"
        for letter in _placed(line, number, hand if by_hand else None):
            _write(inks[kind], [_bent(s, slope, height, creases, wear) for s in letter], _PEN_WIDTH[kind])
    sheet = _sheet(height, creases, paper, wear, seed)
    faded = 1.0 - wear * 0.3 * _grain(f"ink/{seed}", (height, WIDTH)) / 255
    for kind, colour in (("print", _PRINT), ("hand", pen)):
        inked = inks[kind] > 0
        cover = (inks[kind] * faded)[inked][:, None]  # (pixels with ink, 1)
        sheet[inked] = sheet[inked] * (1.0 - cover) + np.array(colour) * cover
    page: NDArray[np.uint8] = np.rint(sheet.clip(0, 255)).astype(np.uint8)
    return page


def png(lines: Sequence[str], *, seed: str = "", wear: float = 0.5) -> bytes:
    """The page as a PNG file. MissingExtraError without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("drawing a page", "images") from None
    file = BytesIO()
    Image.fromarray(pixels(lines, seed=seed, wear=wear)).save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _placed(line: str, number: int, hand: random.Random | None) -> Iterator[list[Stroke]]:
    """The strokes of a line's letters in pixels; a line that is too long is written smaller."""
    room = WIDTH - 2 * _MARGIN
    unit = min(_UNIT, room / max(1.0, width_of(line)))
    corner = np.array([_MARGIN, _MARGIN + _PITCH * number])
    for letter in strokes_of(line, hand):
        yield [stroke * unit + corner for stroke in letter]


def _creases(height: int, rng: random.Random, wear: float) -> list[_Crease]:
    """A sheet that was folded once or twice; a clean one never."""
    folds = [_Crease(False, height * rng.uniform(0.3, 0.7)), _Crease(True, WIDTH * rng.uniform(0.3, 0.7))]
    return folds[: rng.randint(1, 2)] if wear > 0 else []


def _bent(stroke: Stroke, slope: float, height: int, creases: Sequence[_Crease], wear: float) -> Stroke:
    """A stroke on a page that is turned about its middle, and that lies askew behind its creases."""
    x, y = stroke[:, 0] - WIDTH / 2, stroke[:, 1] - height / 2
    turned = np.stack([x + slope * y + WIDTH / 2, y - slope * x + height / 2], axis=1)
    for crease in creases:
        along, across = (0, 1) if crease.upright else (1, 0)
        turned[:, across] += wear * _SHIFT * np.clip((turned[:, along] - crease.place) / height, 0.0, 1.0)
    return turned


def _write(ink: Ink, strokes: Sequence[Stroke], half: float) -> None:
    """Put the strokes of a letter on the page with a round pen; what lies beyond the rim is lost."""
    starts = np.concatenate([s[:-1] if len(s) > 1 else s for s in strokes])  # (pieces, 2)
    ends = np.concatenate([s[1:] if len(s) > 1 else s for s in strokes])
    low = np.floor(np.minimum(starts, ends).min(axis=0) - half - 1).astype(int).clip(min=0)
    high = np.ceil(np.maximum(starts, ends).max(axis=0) + half + 2).astype(int)
    rows, columns = slice(low[1], min(high[1], ink.shape[0])), slice(low[0], min(high[0], ink.shape[1]))
    y, x = np.arange(rows.start, max(rows.start, rows.stop)), np.arange(columns.start, max(columns.start, columns.stop))
    if not len(y) or not len(x):
        return
    point = np.stack(np.broadcast_arrays(x[None, :, None], y[:, None, None]), axis=-1)  # (rows, columns, 1, 2)
    step = ends - starts
    length = (step**2).sum(axis=-1)
    share = ((point - starts) * step).sum(axis=-1) / np.maximum(length, 1e-9)  # (rows, columns, pieces)
    nearest = starts + np.clip(share, 0.0, 1.0)[..., None] * step
    distance = np.sqrt(((point - nearest) ** 2).sum(axis=-1)).min(axis=-1)
    ink[rows, columns] = np.maximum(ink[rows, columns], np.clip(half + 0.5 - distance, 0.0, 1.0))


def _sheet(height: int, creases: Sequence[_Crease], rng: random.Random, wear: float, seed: str) -> NDArray[np.float64]:
    """(height, WIDTH, 3): the paper without what is written on it."""
    y, x = np.arange(height, dtype=np.float64)[:, None], np.arange(WIDTH, dtype=np.float64)[None, :]
    tint = np.array([rng.uniform(-6, 0), rng.uniform(-8, -2), rng.uniform(-26, -8)])
    light = 1.0 - wear * 0.22 * (rng.uniform(0, 1) * x / WIDTH + rng.uniform(0, 1) * y / height)
    for crease in creases:
        away = (x if crease.upright else y) - crease.place
        light = light - wear * (
            0.20 / (1.0 + (away / 3.0) ** 2) + np.where(away > 0, 0.06, 0.0) / (1.0 + (away / 60.0) ** 2)
        )
    ring = ((x - rng.uniform(0, WIDTH)) ** 2 + (y - rng.uniform(0, height)) ** 2) / rng.uniform(50, 90) ** 2
    light = light - wear * 0.10 / (1.0 + ((ring - 1.0) / 0.08) ** 2)
    grain = _grain(f"sheet/{seed}", (height, WIDTH))
    light -= wear * (0.10 * (grain // 32 / 7 - 0.5) + np.where(grain > 254, 0.25, 0.0))
    return 248.0 * light[:, :, None] + wear * tint


def _grain(key: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Numbers from 0 to 255."""
    drawn = hashlib.shake_256(f"bythebook page/{key}".encode()).digest(shape[0] * shape[1])
    return np.frombuffer(drawn, dtype=np.uint8).reshape(shape).astype(np.float64)
