"""The fixtures of the desk's tests."""

from tests.desk.fixtures import desk, file_desk, found, postgresql, result, url

__all__ = ["desk", "file_desk", "found", "postgresql", "result", "url"]
