"""A page opened in a browser, and everything that it said and asked for meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Watched:
    """A page opened from its file, with every message, error and request it made."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.heard: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.heard.append(message.text))
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.heard.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = file.resolve().as_uri()
        self.page.goto(self.address)

    def count(self) -> int:
        """The number of documents listed, as the page says it."""
        return int(self.page.inner_text("#count").split()[0].replace(",", ""))

    def listed(self) -> list[str]:
        """What the rows that exist now say to a screen reader."""
        found = self.page.eval_on_selector_all("#list [role=option]", "rows => rows.map(r => r.ariaLabel)")
        return list(found)

    def close(self) -> None:
        """Nothing was said, nothing but the file was asked for."""
        self.context.close()
        assert self.heard == []
        assert set(self.asked) == {self.address}
