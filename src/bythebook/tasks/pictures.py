"""The pictures that go with examples: drawn when they are asked for, or read from a file.

An example names its picture in `meta["_picture"]`, so that examples stay small, and records, which leave out what
begins with an underscore, hold no picture:

    scene SEED         the things of a scene (`world.scene_picture`)
    page SEED WEAR     the lines of a document on paper (`world.form_page`)
    file PATH          a PNG or JPEG of one's own
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from bythebook.errors import DataError, MissingExtraError
from bythebook.tasks.world import form_page, scene_picture
from bythebook.tasks.world.scene_annotators import scene_in
from bythebook.types import Example

__all__ = ["picture_of", "with_picture"]


def picture_of(example: Example) -> bytes | None:
    """The picture of an example as the bytes of an image file; None where it has none. DataError for a file that holds
    no picture, MissingExtraError without Pillow."""
    if example.picture is None:
        return None
    kind, _, rest = example.picture.partition(" ")
    if kind not in _MADE:
        raise DataError(f"example {example.id} has a picture of the unknown kind {kind!r}")
    return _MADE[kind](example, rest)


def with_picture(example: Example, messages: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """Chat messages about an example with its picture before the first words of the user; unchanged where it has none.
    Errors as of `picture_of`."""
    picture = picture_of(example)
    if picture is None:
        return list(messages)
    first, *others = messages
    parts = [{"type": "image", "image": picture}, {"type": "text", "text": first["content"]}]
    return [{**first, "content": parts}, *others]


def _scene(example: Example, rest: str) -> bytes:
    return scene_picture.png(scene_in(example), seed=int(rest))


def _page(example: Example, rest: str) -> bytes:
    seed, wear = rest.split(" ")
    # Questions about several keys of one document are about one page.
    name = example.meta.get("guideline_id", example.id)
    return form_page.png(example.text.split("\n"), seed=f"{seed}/{name}", wear=float(wear))


def _file(_: Example, rest: str) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("reading a picture", "images") from None
    try:
        data = Path(rest).read_bytes()
        with Image.open(BytesIO(data)) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no picture that Pillow reads"
        raise DataError(f"the picture can't be read: {reason}", file=rest, remedy="give a PNG or JPEG file") from None
    return data


_MADE: dict[str, Callable[[Example, str], bytes]] = {"scene": _scene, "page": _page, "file": _file}
