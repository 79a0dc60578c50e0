"""The page in a real browser: headless Chromium clicks through it. Skipped, with the reason, where there is none."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from many_documents import many_documents, many_guidelines
from watched import Watched

from bythebook.guidelines import load_from_library
from bythebook.records import Record, read_records, write_jsonl
from bythebook.report import write_report
from bythebook.report.clauses import Book, outcome_of

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_BROWSER = os.environ.get("CHROMIUM") or next((found for name in _NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason="no Chromium on this machine: install one, or name it in the variable CHROMIUM"
)

HOSTILE = (
    "</script><script>window.alive=1</script><!--<script>\u2028\u2029<img src=x onerror=window.alive=2>"
    "<svg onload=window.alive=3><a href='javascript:window.alive=4'>x</a>{{7*7}}${7*7}\"'><b>__proto__ constructor"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=_BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def watch(browser: Any) -> Iterator[Callable[..., Watched]]:
    opened: list[Watched] = []

    def open_page(file: Path, **options: Any) -> Watched:
        opened.append(Watched(browser, file, **options))
        return opened[-1]

    yield open_page
    for page in opened:
        page.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many_documents(tmp_path_factory.mktemp("browsed"), 300)


@pytest.fixture(scope="module")
def report(run: Path) -> Path:
    return write_report(run)


@pytest.fixture(scope="module")
def records(run: Path) -> list[Record]:
    """Of the model that the page opens with."""
    return read_records(run / "records" / "trained.test.jsonl")


def test_the_theme_follows_the_system_until_the_button_is_pressed(report: Path, watch: Callable[..., Watched]) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        page = watch(report, color_scheme=scheme).page
        seen = [page.evaluate("getComputedStyle(document.body).backgroundColor")]
        page.click("#theme")
        seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.reload()
        seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        colours[scheme] = seen
    light, dark = colours["light"][0], colours["dark"][0]
    assert light != dark
    assert colours == {"light": [light, dark, dark], "dark": [dark, light, light]}


def test_filters_show_what_the_records_hold(report: Path, records: list[Record], watch: Callable[..., Watched]) -> None:
    page = watch(report)
    assert page.count() == len(records) == 300
    page.page.select_option("#f-kind", "error")
    assert page.count() == sum(not r.correct for r in records)
    assert not [text for text in page.listed() if text.startswith("right;")]
    for status in ("malformed", "truncated", "no_answer"):
        page.page.select_option("#f-kind", f"form:{status}")
        assert page.count() == sum(r.status == status for r in records) > 0
    page.page.click("#clear")
    page.page.select_option("#f-domain", label=f"news ({sum(r.domain == 'news' for r in records)})")
    assert page.count() == sum(r.domain == "news" for r in records)
    page.page.select_option("#f-domain", "")
    page.page.select_option("#f-gold", "Other")
    page.page.select_option("#f-answer", "∅")
    assert page.count() == sum(r.gold == "Other" and r.answer is None for r in records)
    page.page.click("#clear")
    page.page.select_option("#f-model", label="start")
    assert page.count() == 300


def test_every_outcome_is_a_button_with_its_count(
    report: Path, records: list[Record], watch: Callable[..., Watched]
) -> None:
    page = watch(report)
    book = Book(load_from_library("semeval2010"))
    counts = Counter(outcome_of(r, book) for r in records)
    shown = page.page.eval_on_selector_all(
        "#kinds .kind", "all => all.map(b => [b.dataset.kind, Number(b.querySelector('.n').textContent)])"
    )
    assert {kind: n for kind, n in shown if not kind.startswith("form:")} == counts
    for kind, n in shown:
        page.page.click(f'#kinds [data-kind="{kind}"]')
        assert page.count() == n
        assert page.page.get_attribute(f'#kinds [data-kind="{kind}"]', "aria-pressed") == "true"
        assert page.page.evaluate("document.activeElement.dataset.kind") == kind
    page.page.click(f'#kinds [data-kind="{shown[-1][0]}"]')
    assert page.count() == 300


def test_a_cell_of_the_confusion_matrix_lists_its_documents(
    report: Path, records: list[Record], watch: Callable[..., Watched]
) -> None:
    page = watch(report)
    pairs = Counter(
        (r.gold, r.answer) for r in records if not r.correct and r.answer not in (None, "Part-Piece(e1,e2)")
    )
    cells = page.page.eval_on_selector_all("#matrix .miss button", "all => all.map(b => b.ariaLabel)")
    assert len([c for c in cells if "not in the guideline" not in c and "no single" not in c]) == len(pairs)
    (gold, answer), n = pairs.most_common(1)[0]
    page.page.click(f'#matrix [aria-label^="gold {gold}, predicted {answer}: {n} of "]')
    assert page.count() == n
    assert all(f"gold {gold}, predicted {answer};" in text for text in page.listed())
    # The list has the focus now, so that the arrow keys go through it.
    assert page.page.evaluate("document.activeElement.id") == "list"


def test_a_clause_lists_the_errors_that_touch_it(
    report: Path, records: list[Record], watch: Callable[..., Watched]
) -> None:
    page = watch(report)
    book = Book(load_from_library("semeval2010"))
    touched = Counter(i for r in records for i in book.touched(r.gold, r.answer, outcome_of(r, book)))
    shown = page.page.eval_on_selector_all(
        "#guideline .clause.hot",
        "all => all.map(c => [Number(c.dataset.place), Number(c.querySelector('button').textContent)])",
    )
    assert dict(shown) == touched
    place, n = touched.most_common(1)[0]
    page.page.click(f'#guideline [data-place="{place}"] button')
    assert page.count() == n
    assert "clause: " in page.page.inner_text("#chips")
    name = f"{book.clauses[place].relation} · {book.clauses[place].part}"
    assert page.page.inner_text("#detail .touched button >> nth=0") == name or n > 1
    page.page.click("#detail .touched button >> nth=0")
    assert page.page.evaluate("document.activeElement.closest('.clause') !== null")
    page.page.click("#clear")
    page.page.click('#parts [data-part="Direction"]')
    assert page.count() == sum(
        any(book.clauses[i].part == "Direction" for i in book.touched(r.gold, r.answer, outcome_of(r, book)))
        for r in records
    )


def test_reasoning_opens_and_stays_open(report: Path, records: list[Record], watch: Callable[..., Watched]) -> None:
    page = watch(report).page
    assert page.inner_text("#detail .thought") == ""
    page.click("#detail .reasoning summary")
    text = (records[0].completion or "").partition("<think>")[2].partition("</think>")[0]
    assert " ".join(page.inner_text("#detail .thought").split()) == " ".join(text.split())
    page.keyboard.press("j")
    assert page.inner_text("#detail h3").startswith(records[1].id)
    assert page.get_attribute("#detail .reasoning", "open") == ""
    page.keyboard.press("r")
    assert page.get_attribute("#detail .reasoning", "open") is None


def test_mentions_are_marked_and_joined_by_an_arrow(
    report: Path, records: list[Record], watch: Callable[..., Watched]
) -> None:
    page = watch(report).page
    place = next(i for i, r in enumerate(records) if r.correct is False and r.answer and r.answer != "Other" != r.gold)
    for _ in range(place):
        page.keyboard.press("j")
    shown = records[place]
    assert shown.text is not None
    assert shown.entities is not None
    # The text begins with a character beyond the basic plane; offsets are in characters.
    marks = page.eval_on_selector_all("#detail mark", "all => all.map(m => m.firstChild.textContent)")
    assert marks == [shown.text[m.start : m.end] for m in shown.entities]
    page.wait_for_selector("#detail .arcs .arc.gold", state="attached")
    names = page.eval_on_selector_all("#detail .arcs text", "all => all.map(t => t.textContent)")
    assert names == [(shown.gold or "")[:-7], (shown.answer or "")[:-7]]
    assert page.locator("#detail .arcs .tip").count() == 2


def test_search_finds_words_of_text_reasoning_and_id(
    report: Path, records: list[Record], watch: Callable[..., Watched]
) -> None:
    page = watch(report)
    for words in ("vaccine small", "DOC-17", "unless it is"):
        page.page.keyboard.press("/")
        page.page.fill("#f-search", words)
        page.page.wait_for_timeout(300)
        found = [
            r for r in records if all(w.lower() in f"{r.id}\n{r.text}\n{r.completion}".lower() for w in words.split())
        ]
        assert page.count() == len(found) > 0
    page.page.fill("#f-search", "nothing has these words")
    page.page.wait_for_timeout(300)
    assert page.count() == 0
    assert "Nothing to show" in page.page.inner_text("#detail")


def test_the_keyboard_goes_through_the_list(report: Path, records: list[Record], watch: Callable[..., Watched]) -> None:
    page = watch(report).page

    def chosen() -> str:
        return str(page.inner_text("#detail h3")).split()[0]

    page.focus("#list")
    page.keyboard.press("ArrowDown")
    assert chosen() == records[1].id
    page.keyboard.press("End")
    assert chosen() == records[-1].id
    assert page.get_attribute("#list", "aria-activedescendant") == f"row-{len(records) - 1}"
    page.keyboard.press("Home")
    assert chosen() == records[0].id
    page.keyboard.press("e")
    assert page.input_value("#f-kind") == "error"
    page.keyboard.press("Escape")
    assert page.input_value("#f-kind") == ""


def test_of_a_long_list_only_the_visible_rows_exist(report: Path, watch: Callable[..., Watched]) -> None:
    page = watch(report).page
    assert 5 < page.locator("#list [role=option]").count() < 40
    assert page.eval_on_selector("#list .sheet", "sheet => sheet.offsetHeight") == 300 * 58
    page.eval_on_selector("#list", "list => { list.scrollTop = 5000; }")
    page.wait_for_selector("#row-86", state="attached")
    assert page.locator("#row-0").count() == 0


def test_no_text_of_a_document_comes_alive(tmp_path: Path, watch: Callable[..., Watched]) -> None:
    clean = watch(write_report(many_documents(tmp_path / "clean", 60))).page
    page = watch(write_report(many_documents(tmp_path / "hostile", 60, text=HOSTILE))).page
    kinds = "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase()))].sort()"
    for shown in (clean, page):
        shown.select_option("#f-kind", "error")
        for key in ("j", "j", "r", "k", "j"):
            shown.keyboard.press(key)
        shown.click("#guideline .clause.hot button >> nth=0")
        shown.click("#matrix .miss button >> nth=0")
    assert page.evaluate("window.alive") is None
    assert page.evaluate("document.scripts.length") == 3
    assert set(page.evaluate(kinds)) <= set(clean.evaluate(kinds))
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert page.evaluate(handlers) == []
    assert page.evaluate("[...document.links].filter(a => a.protocol === 'javascript:').length") == 0
    # The text is there, letter by letter.
    assert HOSTILE.replace("\u2028", "").replace("\u2029", "")[:40] in page.inner_text("#detail .words")
    assert "{{7*7}}${7*7}" in page.inner_text("#detail .words")


def test_the_policy_stops_markup_made_from_strings(report: Path, watch: Callable[..., Watched]) -> None:
    watched = watch(report)
    stopped = watched.page.evaluate(
        """() => {
            try { document.body.innerHTML = '<b>x</b>'; return false; } catch (e) { return e instanceof TypeError; }
        }"""
    )
    assert stopped
    watched.page.evaluate("() => { new Image().src = 'http://localhost:9/x.png'; }")
    watched.page.wait_for_timeout(100)
    assert any("Content Security Policy" in text for text in watched.heard)
    watched.heard.clear()
    # The browser notes the attempt as a request of its own only where it was let through.
    watched.asked[:] = [address for address in watched.asked if address.startswith("file:")]


def test_records_without_text_show_ids_and_verdicts(tmp_path: Path, run: Path, watch: Callable[..., Watched]) -> None:
    bare = [
        r.model_copy(update={"text": None, "entities": None, "completion": None})
        for r in read_records(run / "records" / "trained.test.jsonl")
    ]
    write_jsonl(tmp_path / "records" / "trained.test.jsonl", bare)
    page = watch(write_report(tmp_path))
    assert page.count() == 300
    assert "The text is not kept" in page.page.inner_text("#detail")
    assert page.page.inner_text("#list .snippet >> nth=0") == bare[0].id


def test_a_demo_opens_with_rl_and_has_its_edited_guidelines(demo: Path, watch: Callable[..., Watched]) -> None:
    page = watch(write_report(demo))
    rows = [r for r in read_records(demo / "records" / "rl.ood.jsonl") if r.sample == -1]
    assert page.page.input_value("#f-model") == "1"
    assert page.count() == len(rows)
    page.page.select_option("#f-set", label="edited guideline: wrong guideline")
    assert page.count() == sum(1 for _ in read_records(demo / "records" / "rl.wrong_guideline.jsonl"))


def test_labels_of_many_guidelines_are_counted_by_outcome_until_one_is_chosen(
    tmp_path: Path, watch: Callable[..., Watched]
) -> None:
    run = many_guidelines(tmp_path, 120)
    rows = read_records(run / "records" / "trained.ood.jsonl")
    page = watch(write_report(run))
    heads = "heads => heads.map(h => h.textContent)"
    assert page.page.eval_on_selector_all("#matrix tbody th", heads) == ["a relation holds", "no relation holds"]
    missed = sum(r.gold != "Other" and r.answer == "Other" for r in rows)
    page.page.click('#matrix [aria-label^="a relation holds, missed relation"]')
    assert page.count() == missed > 0
    page.page.click("#clear")
    book = page.page.inner_text("#f-book option:checked >> nth=0")
    page.page.click("#only-book")
    shown = page.count()
    hashed = book.split("(")[1].split(")")[0]
    under = [r for r in rows if (r.guideline or "").startswith(hashed)]
    assert shown == len(under) == 4
    assert set(page.page.eval_on_selector_all("#matrix tbody th", heads)) == {r.gold for r in under}


def test_without_scripts_the_figures_are_there(report: Path, watch: Callable[..., Watched]) -> None:
    page = watch(report, java_script_enabled=False).page
    assert page.is_visible("text=Scores")
    assert "need JavaScript" in page.inner_html("noscript")
    assert not page.is_visible("#explorer")


@pytest.mark.parametrize("width", [340, 768, 1280])
def test_no_width_needs_sideways_scrolling(report: Path, watch: Callable[..., Watched], width: int) -> None:
    page = watch(report, viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name(report: Path, watch: Callable[..., Watched]) -> None:
    page = watch(report).page
    nameless = """[...document.querySelectorAll('button, select, input, [role], [tabindex]')].filter(e =>
        e.checkVisibility() && !e.matches('[role=presentation], [role=status], [role=search]')
        && !(e.ariaLabel || e.getAttribute('aria-labelledby') || e.labels?.length || e.textContent.trim()))
        .map(e => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(nameless) == []


@pytest.mark.parametrize("n", [1000, pytest.param(5000, marks=pytest.mark.slow)])
def test_thousands_of_documents_are_drawn_at_once(
    tmp_path: Path, watch: Callable[..., Watched], n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_report(many_documents(tmp_path, n))
    page = watch(file)
    assert page.count() == n
    figures = page.page.evaluate(
        """async () => {
            const painted = () =>
              performance.getEntriesByType('paint').find(e => e.name === 'first-contentful-paint');
            const frame = () => new Promise(done => requestAnimationFrame(done));
            // On a busy machine the rows are there before the browser has drawn them.
            for (let i = 0; i < 600 && !painted(); i += 1) await frame();
            const paint = painted();
            const loaded = performance.getEntriesByType('navigation')[0].loadEventEnd;
            const list = document.getElementById('list');
            let longest = 0;
            for (let i = 0; i < 60; i += 1) {
              const start = performance.now();
              list.scrollTop += 400;
              await frame();
              await frame();
              longest = Math.max(longest, performance.now() - start);
            }
            const kind = document.getElementById('f-kind');
            const start = performance.now();
            kind.value = 'error';
            kind.dispatchEvent(new Event('change'));
            return {first_contentful_paint_ms: paint.startTime, loaded_ms: loaded, slowest_scroll_ms: longest,
                    filter_ms: performance.now() - start};
        }"""
    )
    with capsys.disabled():
        shown = {name: round(value) for name, value in figures.items()}
        print(f"\n  {n} documents, {file.stat().st_size / 1e6:.1f} MB: {json.dumps(shown)}")
    assert figures["first_contentful_paint_ms"] > 0
