"""Scenes as pictures, for models that see: the same things on a noisy grey ground. Needs Pillow to write them.

Every pixel is computed here in whole numbers, and the noise is a hash of the seed, so that a picture is the same on
every machine and with every version of every library.
"""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from bythebook.errors import MissingExtraError
from bythebook.tasks.world.scene_things import SIDE, Scene, Thing

__all__ = ["CELL", "pixels", "png"]

CELL = 32
"""Pixels of the side of a cell."""
_GROUND, _GRAIN, _TINT = 112, 48, 24
"""Darkest grey of the ground; shades of its noise, and of that on things."""
_RADIUS = {"small": 7, "large": 13}
"""Of a thing in pixels."""
_RGB = {"red": (208, 32, 32), "blue": (32, 64, 208), "green": (24, 144, 48), "yellow": (224, 200, 24)}


def pixels(scene: Scene, *, seed: int = 0) -> NDArray[np.uint8]:
    """(rows, columns, 3) values of red, green and blue: 96 × 96 pixels. Equal scenes and seeds give equal pixels."""
    side = SIDE * CELL
    noise = _noise(f"{seed}/{scene.symbols}", (side, side, 3))
    picture = (_GROUND + noise[:, :, :1] % _GRAIN).repeat(3, axis=2)
    for thing in scene.things:
        column, row = thing.place
        place = (slice(row * CELL, (row + 1) * CELL), slice(column * CELL, (column + 1) * CELL))
        painted = np.array(_RGB[thing.colour]) + noise[place] % _TINT
        picture[place] = np.where(_inside(thing)[:, :, None], painted, picture[place])
    return picture.astype(np.uint8)


def png(scene: Scene, *, seed: int = 0) -> bytes:
    """The picture as a PNG file. MissingExtraError without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("drawing a scene", "images") from None
    file = BytesIO()
    Image.fromarray(pixels(scene, seed=seed)).save(file, format="PNG")
    return file.getvalue()


def _noise(key: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Numbers from 0 to 255."""
    drawn = hashlib.shake_256(f"bythebook picture/{key}".encode()).digest(int(np.prod(shape)))
    return np.frombuffer(drawn, dtype=np.uint8).reshape(shape).astype(np.int64)


def _inside(thing: Thing) -> NDArray[np.bool_]:
    """Which pixels of its cell a thing covers; offsets from the middle are counted in half pixels."""
    offset = 2 * np.arange(CELL, dtype=np.int64) - (CELL - 1)
    x, y, r = np.abs(offset)[None, :], offset[:, None], 2 * _RADIUS[thing.size]
    covered: NDArray[np.bool_]
    match thing.shape:
        case "circle":
            covered = x**2 + y**2 <= r**2
        case "square":
            covered = (x <= r) & (np.abs(y) <= r)
        case "triangle":
            covered = (2 * x <= y + r) & (y <= r)
        case _:  # a star of four points: what is farther than r from every corner of the square around it
            covered = ((r - x) ** 2 + (r - np.abs(y)) ** 2 >= r**2) & (x <= r) & (np.abs(y) <= r)
    return covered
