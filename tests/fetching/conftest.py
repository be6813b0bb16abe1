"""What the tests of fetching share: a played vendor, filled, with a wire to it whose time passes only by sleeping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.vendors import Time, Vendor, registry, serving
from unbidden import fetching
from unbidden.credentials import secret_of
from unbidden.fetching import Connector, Cursor, Note, Page
from unbidden.fetching.settings import KINDS
from unbidden.wire import Wire


@dataclass(slots=True)
class Lab:
    """A vendor, a wire to it, and connectors of it, each as new as after a restart."""

    kind: str
    vendor: Vendor
    time: Time
    wire: Wire
    changes: dict[str, object] = field(default_factory=dict)

    def connector(self) -> Connector:
        """A new connector."""
        told = KINDS[self.kind](**{**self.vendor.table(), **self.changes})
        return fetching.registry()[self.kind](told, partial(secret_of, environment=self.vendor.environment))

    def round(self, cursor: Cursor | None = None, connector: Connector | None = None) -> list[Page]:
        """The pages of a round."""
        return list((connector or self.connector()).pages(self.wire, cursor, self.time.now))


def texts_of(pages: list[Page]) -> list[str]:
    """The texts of pages, in their order."""
    return [text for page in pages for text in page.texts]


def notes_of(pages: list[Page]) -> list[Note]:
    """What the pages say."""
    return [note for page in pages for note in page.notes]


@pytest.fixture(params=sorted(fetching.registry()))
def kind(request: pytest.FixtureRequest) -> str:
    """Each connector."""
    return str(request.param)


@pytest.fixture
def open_lab() -> Iterator[Callable[..., Lab]]:
    """What opens a lab of a kind of vendor; all are closed at the end."""
    opened = []

    def open_one(name: str) -> Lab:
        time = Time()
        context = serving(registry()[name](time))
        vendor = context.__enter__()
        lab = Lab(name, vendor, time, Wire(clock=time.now, sleep=time.sleep, timeout_s=5))
        opened.append((context, lab))
        vendor.fill()
        return lab

    yield open_one
    for context, lab in opened:
        lab.wire.close()
        context.__exit__(None, None, None)


@pytest.fixture
def lab(kind: str, open_lab: Callable[..., Lab]) -> Lab:
    """A filled vendor of each kind."""
    return open_lab(kind)
