"""The console: the pages that people look at."""

from unbidden.console.app import app

__all__ = ["app"]
