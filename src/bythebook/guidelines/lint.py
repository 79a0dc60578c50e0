"""Every fault of a guideline, with its line: of its form, which the loader refuses, and of its content, which it can't
see. `checks` has the faults of content."""

from __future__ import annotations

import re
from pathlib import Path

from bythebook.guidelines.checks import check_content
from bythebook.guidelines.draft import Finding, Findings
from bythebook.guidelines.files import is_yaml, read_bytes
from bythebook.guidelines.markdown import read_markdown
from bythebook.guidelines.yaml_form import read_yaml

__all__ = ["lint_file", "lint_guideline"]

_LONG_LINE = 2_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff\ufffd]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def lint_guideline(text: str, *, yaml: bool = False) -> list[Finding]:
    """What is wrong with a Markdown (or YAML) guideline, in the order of its lines. Total, and linear in its length.

    A text with no finding of severity `error` can be loaded; the other way round, the loader takes some texts that
    have errors here, because a slip in one example is no reason to refuse a guideline in the middle of a run.
    """
    draft, findings = read_yaml(text) if yaml else read_markdown(text)
    if not any(f.code in ("too-long", "surrogate", "not-yaml") for f in findings.found):
        _check_text(text, findings)
        check_content(draft, findings)
    return sorted(findings.found, key=lambda f: f.line)


def lint_file(path: Path | str) -> list[Finding]:
    """What is wrong with a guideline file. GuidelineError if there is no such file or it can't be read."""
    raw = read_bytes(path)
    if raw.startswith(_UTF16):
        findings = Findings()
        findings.error("not-utf8", 1, "the file is UTF-16", "save it as UTF-8")
        return findings.found
    findings = Findings()
    _check_bytes(raw, findings)
    text = raw.decode("utf-8-sig", errors="replace")
    found = findings.found + lint_guideline(text, yaml=is_yaml(path))
    return sorted(found, key=lambda f: f.line)


def _check_bytes(raw: bytes, findings: Findings) -> None:
    if raw.startswith(b"\xef\xbb\xbf"):
        findings.warning("byte-order-mark", 1, "the file starts with a byte order mark", "save it as UTF-8 without BOM")
    bare = raw.replace(b"\r\n", b"")
    ends = {"CRLF": raw.count(b"\r\n"), "LF": bare.count(b"\n"), "CR": bare.count(b"\r")}
    kinds = [name for name, count in ends.items() if count]
    if len(kinds) > 1:
        message = f"line ends are mixed: {', '.join(kinds)}"
        findings.warning("mixed-newlines", 1, message, "save the file with one kind of line ends")
    try:
        raw.decode("utf-8")
        return
    except UnicodeDecodeError:
        pass
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"byte 0x{line[error.start]:02x} is not UTF-8"
            findings.error("not-utf8", number, message, "save the file as UTF-8")


def _check_text(text: str, findings: Findings) -> None:
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if len(line) > _LONG_LINE:
            remedy = "break it: prose may go on in the next line, an item in an indented one"
            findings.warning("long-line", number, f"a line of {len(line):,} characters", remedy)
        if found := _CONTROL.search(line):
            name = f"U+{ord(found[0]):04X}"
            remedy = "delete it; it is invisible, or a mark of a text that was read in the wrong encoding"
            findings.warning("control-character", number, f"the character {name}", remedy)
