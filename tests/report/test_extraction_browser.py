"""The page of joint extraction in a real browser; skipped, with the reason, where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from extraction_runs import ITEM_FAULTS, extraction_run
from test_browser import _BROWSER, HOSTILE, playwright
from watched import Watched

from bythebook.records import Record, read_records, write_jsonl
from bythebook.report import write_report

pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason="no Chromium on this machine: install one, or name it in the variable CHROMIUM"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=_BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def watch(chromium: Any) -> Iterator[Callable[..., Watched]]:
    opened: list[Watched] = []

    def open_page(file: Path, **options: Any) -> Watched:
        opened.append(Watched(chromium, file, **options))
        return opened[-1]

    yield open_page
    for page in opened:
        page.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extraction_run(tmp_path_factory.mktemp("extraction_browsed"))


@pytest.fixture(scope="module")
def report(run: Path) -> Path:
    return write_report(run)


@pytest.fixture(scope="module")
def greedy(run: Path) -> list[Record]:
    """Of the set that the page opens with."""
    return [r for r in read_records(run / "world_joint.ood.jsonl") if r.sample == -1]


ONE_TEXT = '#x-count:text-is("1 text")'
WORDS = """all => all.map((p) => {
  const copy = p.cloneNode(true);
  copy.querySelectorAll("sub").forEach((sub) => sub.remove());
  return copy.textContent;
})"""


def count(watched: Watched) -> int:
    return int(watched.page.inner_text("#x-count").split()[0])


def test_every_mistake_is_a_button_that_lists_its_texts(
    report: Path, greedy: list[Record], watch: Callable[..., Watched]
) -> None:
    page = watch(report)
    assert count(page) == len(greedy) == 60
    for fault in ITEM_FAULTS:
        page.page.click(f'#x-kinds [data-kind="fault:{fault}"]')
        made = sum(r.tags["mistake"] == fault for r in greedy)
        assert count(page) >= made > 0
        page.page.click("#x-clear")
    page.page.click('#x-kinds [data-kind="right"]')
    assert count(page) == sum(r.correct is True for r in greedy)
    page.page.click("#x-clear")
    page.page.fill("#x-search", greedy[5].text or "")
    page.page.wait_for_selector(ONE_TEXT)


@pytest.mark.parametrize(
    ("mistake", "verdict", "mark"),
    [
        ("missed_entity", "missed", "missed"),
        ("entity_type", "another type", "other-type"),
        ("invented_relation", "invented", None),
        ("missed_relation", "missed", None),
        ("relation_type", "another type", None),
        ("direction", "turned round", None),
    ],
)
def test_a_text_shows_gold_beside_predicted(
    report: Path, greedy: list[Record], watch: Callable[..., Watched], mistake: str, verdict: str, mark: str | None
) -> None:
    one = next(r for r in greedy if r.tags["mistake"] == mistake)
    page = watch(report).page
    page.fill("#x-search", one.text or "")
    page.wait_for_selector(ONE_TEXT)
    said = page.eval_on_selector_all("#x-detail table.items td:last-child", "all => all.map(td => td.textContent)")
    assert [word for word in said if word != "right"] == [verdict]
    shown = page.eval_on_selector_all("#x-detail .reading p", WORDS)
    assert shown == [one.text, one.text]
    if mark is not None:
        assert page.locator(f"#x-detail .reading mark.{mark}").count() >= 1
    colours = page.eval_on_selector_all(
        "#x-detail .reading mark[class*=hue]", "all => all.map(m => getComputedStyle(m).backgroundColor)"
    )
    assert colours
    assert "rgba(0, 0, 0, 0)" not in colours


def test_a_completion_without_answer_says_so(report: Path, greedy: list[Record], watch: Callable[..., Watched]) -> None:
    one = next(r for r in greedy if r.tags["mistake"] == "garbled" and r.answer is None)
    page = watch(report).page
    page.fill("#x-search", one.text or "")
    page.wait_for_selector(ONE_TEXT)
    text = page.inner_text("#x-detail")
    assert "No answer that can be read." in text
    assert "unparseable_answer" in text


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(report: Path, watch: Callable[..., Watched], width: int) -> None:
    page = watch(report, viewport={"width": width, "height": 900}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_words_do_nothing(tmp_path: Path, watch: Callable[..., Watched]) -> None:
    run = extraction_run(tmp_path, 12)
    for file in run.glob("*.jsonl"):
        rows = [r.model_copy(update={"text": HOSTILE + (r.text or ""), "completion": HOSTILE, "errors": (HOSTILE,)})
                for r in read_records(file)]  # fmt: skip
        write_jsonl(file, rows)
    page = watch(write_report(run)).page
    page.click("#x-list [role=option]")
    assert page.evaluate("window.alive") is None
    assert "<img src=x" in page.inner_text("#x-detail")
