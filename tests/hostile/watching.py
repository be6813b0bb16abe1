"""A page of a browser that notes everything that a hostile text could have done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.strings import UNSEEN

# Elements that no page of ours has, or has with these addresses alone.
FOREIGN = """all => all.filter(one => one.matches('iframe, object, embed, base, link[rel=prefetch], [onerror], [onload], [onfocus], [onmouseover]')
  || (one.matches('img, script[src], link[href]') && !new URL(one.src || one.href, location).pathname.startsWith('/static/'))
  || (one.matches('style, script:not([src]):not([type="application/json"])') && location.protocol !== 'file:')
  || (one.matches('a[href]') && !['http:', 'file:'].includes(one.protocol)) || (one.matches('a[href]') && one.host !== location.host)
).map(one => one.outerHTML.slice(0, 200))"""


@dataclass
class Watched:
    """A page, what it asked for, and what it said by itself."""

    page: Any
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def is_calm(self, home: str) -> None:
        """Fail where the page that is open did anything of its own, or shows what nobody can see."""
        assert self.page.evaluate("window.pwned") is None
        assert self.page.eval_on_selector_all("*", FOREIGN) == []
        assert UNSEEN.findall(self.page.evaluate("document.documentElement.outerHTML")) == []
        assert self.said == []
        assert [url for url in self.asked if not url.startswith(home)] == []


@contextmanager
def watched(browser: Any) -> Iterator[Watched]:
    """A new page of the browser."""
    one = Watched(browser.new_page())

    def dismissed(dialog: Any) -> None:
        one.said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    one.page.on("dialog", dismissed)
    one.page.on("popup", lambda popup: one.said.append(f"popup {popup.url}"))
    one.page.on("request", lambda request: one.asked.append(request.url))
    one.page.on("pageerror", lambda error: one.said.append(str(error)))
    one.page.on("console", lambda message: one.said.append(message.text) if message.type in ("error", "warning") else None)
    yield one
    one.page.close()
