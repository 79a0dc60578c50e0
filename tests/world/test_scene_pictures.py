"""Scenes as pictures: the same on every machine, and showing what the scene says."""

from __future__ import annotations

import hashlib
import sys
from io import BytesIO
from itertools import product

import numpy as np
import pytest

from bythebook.errors import MissingExtraError
from bythebook.tasks.world.scene_picture import CELL, pixels, png
from bythebook.tasks.world.scene_things import COLOURS, SHAPES, SIZES, Scene, Thing

SCENE = Scene(
    things=(
        Thing(cell="a1", colour="red", shape="circle", size="large"),
        Thing(cell="c1", colour="yellow", shape="star", size="small"),
        Thing(cell="b2", colour="green", shape="triangle", size="large"),
        Thing(cell="c3", colour="blue", shape="square", size="small"),
    )
)
DIGEST = "aee69fad516a3b4c"


def test_pixels_are_pinned() -> None:
    found = pixels(SCENE, seed=3)
    assert (found.shape, found.dtype) == ((96, 96, 3), np.uint8)
    assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == DIGEST


def test_seeds_change_the_noise_and_nothing_else() -> None:
    first, other = pixels(SCENE, seed=1), pixels(SCENE, seed=2)
    assert (first != other).any()
    assert np.abs(first.astype(int) - other.astype(int)).max() < 48


def test_a_picture_is_a_png_of_these_pixels() -> None:
    image = pytest.importorskip("PIL.Image")
    written = png(SCENE, seed=3)
    assert written == png(SCENE, seed=3)
    assert written.startswith(b"\x89PNG\r\n\x1a\n")
    assert np.array_equal(np.asarray(image.open(BytesIO(written))), pixels(SCENE, seed=3))


def test_every_kind_of_thing_looks_different_and_stands_in_its_cell() -> None:
    masks = {}
    for colour, shape, size in product(COLOURS, SHAPES, SIZES):
        scene = Scene(things=(Thing(cell="b2", colour=colour, shape=shape, size=size),))
        picture = pixels(scene).astype(int)
        coloured = np.ptp(picture, axis=2) > 48  # the ground is grey
        inside = coloured[CELL : 2 * CELL, CELL : 2 * CELL]
        assert coloured.sum() == inside.sum() > 20
        shade = picture[CELL : 2 * CELL, CELL : 2 * CELL][inside].mean(axis=0)
        brightest = {"red": 0, "green": 1, "blue": 2}.get(colour)
        assert shade.argmax() == brightest if brightest is not None else shade[2] < min(shade[:2])
        masks[shape, size] = inside
    assert len({mask.tobytes() for mask in masks.values()}) == len(SHAPES) * len(SIZES)
    for shape in SHAPES:
        assert masks[shape, "large"].sum() > 2 * masks[shape, "small"].sum()


def test_without_pillow_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"drawing a scene needs the 'images' extra.*bythebook\[images\]"):
        png(SCENE)
