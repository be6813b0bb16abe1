"""The part of a path that may hold any text: names of people come from logs, and some have the end of a line in them."""

from __future__ import annotations

from starlette.convertors import PathConvertor, register_url_convertor


class Whole(PathConvertor):
    """What Starlette calls `path`, not ending at the end of a line."""

    regex = r"(?s:.*)"


# Also what is mounted is found by it, so it has to take the place of Starlette's own.
register_url_convertor("path", Whole())
