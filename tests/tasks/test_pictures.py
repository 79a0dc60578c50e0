"""Examples with pictures: what is drawn or read, what a prompt shows of them, and what stays out of records."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import load_recipe
from bythebook.records import digest_of
from bythebook.sizing import resolved_text
from bythebook.studies.show import check_data, sample_rows
from bythebook.tasks import task_named
from bythebook.tasks.pictures import picture_of, with_picture
from bythebook.tasks.world.scene_annotators import scene_in
from bythebook.types import Example

Image = pytest.importorskip("PIL.Image")
PNG = b"\x89PNG"
KEYS = [{"name": "total", "description": "what is to be paid"}, {"name": "day"}]


def read(task: str, path: Path | None = None, **options: Any) -> list[Example]:
    return task_named(task).read(path, **options)["train"]


def test_texts_have_no_picture() -> None:
    for task in ("world_forms", "world_scenes"):
        (example,) = read(task, train=1)
        assert example.picture is None
        assert picture_of(example) is None
        assert with_picture(example, render(example)) == render(example)


def test_forms_are_pages_and_their_text_is_in_no_prompt() -> None:
    pages, plain = (read("world_forms", train=6, images=i, misread=0.0, blurred=0.0) for i in (True, False))
    for page, text in zip(pages, plain, strict=True):
        assert (page.id, page.text, page.reference) == (text.id, text.text, text.reference)
        assert (picture_of(page) or b"").startswith(PNG)
        for style in (PromptStyle(), PromptStyle(template="short")):
            (shown,) = render(page, style)
            (whole,) = render(text, style)
            assert whole["content"].replace(text.text, "It is in the picture.") == shown["content"]


def test_recognition_has_no_part_in_pages() -> None:
    noisy = read("world_forms", train=6, images=True, misread=1.0, blurred=1.0)
    assert [e.text for e in noisy] == [e.text for e in read("world_forms", train=6, images=True)]


def test_questions_about_some_keys_of_a_document_show_one_page() -> None:
    first, second = read("world_forms", train=1, images=True, keys="subset", draws=2)
    assert first.id != second.id
    assert picture_of(first) == picture_of(second)


def test_scenes_are_pictures_and_their_signs_are_in_no_prompt() -> None:
    seen, plain = (read("world_scenes", train=10, images=images) for images in (True, False))
    for picture, text in zip(seen, plain, strict=True):
        assert (picture.id, picture.reference) == (text.id, text.reference)
        assert scene_in(picture) == scene_in(text)
        assert picture.meta["annotations"] == text.meta["annotations"]
        assert text.text == f"{scene_in(text).symbols}\n{picture.text}"
        (shown,) = render(picture, PromptStyle())
        assert scene_in(picture).symbols not in shown["content"]
        assert "signs" not in shown["content"]
    assert len({picture_of(e) for e in seen}) == 10


def test_a_prompt_has_its_picture_before_the_words() -> None:
    (example,) = read("world_scenes", train=1, images=True)
    (asked,) = render(example)
    (shown,) = with_picture(example, [asked])
    assert shown["role"] == "user"
    assert [part["type"] for part in shown["content"]] == ["image", "text"]
    assert shown["content"][1]["text"] == asked["content"]
    assert Image.open(BytesIO(shown["content"][0]["image"])).size == (96, 96)


def test_pictures_tell_examples_apart() -> None:
    clean, worn = (read("world_forms", train=2, images=True, wear=wear) for wear in (0.1, 0.2))
    assert digest_of(clean) != digest_of(worn)


def test_a_picture_of_an_unknown_kind_is_refused() -> None:
    (example,) = read("world_scenes", train=1)
    odd = example.model_copy(update={"meta": {"_picture": "hologram 3"}})
    with pytest.raises(DataError, match="unknown kind 'hologram'"):
        picture_of(odd)


def test_an_option_out_of_range_is_refused() -> None:
    with pytest.raises(RecipeError, match="world_forms option wear"):
        read("world_forms", train=1, wear=2.0)


# ------------------------------------------------------------------------------------------- one's own scans


def scans(folder: Path, **row: Any) -> Path:
    Image.new("RGB", (40, 30), (250, 250, 240)).save(folder / "scan.png")
    whole = {"id": "a", "keys": KEYS, "values": {"total": "12.50"}, **row}
    file = folder / "train.jsonl"
    file.write_text(json.dumps({k: v for k, v in whole.items() if v is not None}) + "\n", encoding="utf-8")
    return file


def test_ones_own_scans_are_shown(tmp_path: Path) -> None:
    (example,) = read("key_values", scans(tmp_path, image="scan.png"), images=True)
    assert picture_of(example) == (tmp_path / "scan.png").read_bytes()
    assert "It is in the picture." in render(example)[0]["content"]
    assert example.text == ""
    assert check_data("key_values", tmp_path / "train.jsonl")["faults"] == []


def test_scans_with_lines_can_be_read_either_way(tmp_path: Path) -> None:
    file = scans(tmp_path, image="scan.png", lines=["Total 12.50"])
    (seen,), (text,) = read("key_values", file, images=True), read("key_values", file)
    assert "Total 12.50" in render(text)[0]["content"]
    assert "Total 12.50" not in render(seen)[0]["content"]
    assert (seen.picture is None, text.picture is None) == (False, True)


@pytest.mark.parametrize(
    ("row", "images", "message"),
    [
        ({"image": "other.png"}, True, "train.jsonl:1: there is no image other.png"),
        ({"image": "scan.png"}, False, "document a has no lines .*data.options.images"),
        ({"lines": ["Total 12.50"]}, True, "document a has no image"),
        ({}, True, "train.jsonl:1: .*under `lines` or under `text`"),
    ],
)
def test_a_missing_half_is_named(row: dict[str, Any], images: bool, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read("key_values", scans(tmp_path, **row), images=images)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (example,) = read("key_values", scans(tmp_path, image="scan.png"), images=True)
    for content in (b"", b"no picture", (tmp_path / "scan.png").read_bytes()[:40]):
        (tmp_path / "scan.png").write_bytes(content)
        with pytest.raises(DataError, match=r"scan.png: the picture can't be read"):
            picture_of(example)


# ------------------------------------------------------------------------------------------- looking at them, counting


def test_rows_are_shown_with_the_pictures_in_a_folder(tmp_path: Path) -> None:
    rows = sample_rows("world_forms", None, 1, images=tmp_path / "pages")
    assert [Path(row["image"]).name for row in rows] == [
        "forms-train-0-0.png",
        "forms-id-0-0.png",
        "forms-ood-0-0.png",
    ]
    assert all(Path(row["image"]).read_bytes().startswith(PNG) for row in rows)
    assert "image" not in sample_rows("world_forms", None, 1)[0]
    with pytest.raises(RecipeError, match="option images"):
        sample_rows("world_answers", None, 1, images=tmp_path)


def test_an_estimate_says_that_it_counts_words_alone() -> None:
    said = "the tokens of pictures come on top"
    assert said in resolved_text(load_recipe("perception_r1"))
    assert said not in resolved_text(load_recipe("perception_r1", ["data.options.images=false"]))
