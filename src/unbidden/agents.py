"""Agents: browsers and programs by one name each, without their versions, and which of them are tools that automate sign-ins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import LiteralString

import duckdb
import ua_parser

from unbidden import content, engine

_VERSION = re.compile(r"[ /_]*[0-9][0-9a-z._]*")
_SEEN: LiteralString = "SELECT DISTINCT coalesce(client, agent) FROM main.event WHERE coalesce(client, agent) IS NOT NULL"


def tell(con: duckdb.DuckDBPyConnection) -> None:
    """Make `client_word` (words, word) of every browser, system or agent text in `event`, and `tool` (word, tool) of the words that automate."""
    con.execute("CREATE OR REPLACE TABLE main.client_word (words VARCHAR, word VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE main.tool (word VARCHAR, tool VARCHAR)")
    learn(con, [str(words) for (words,) in engine.rows(con, _SEEN)])


def learn(con: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> None:
    """Add texts that `client_word` does not have to it, and their words to `tool` where they are tools."""
    seen = {words: word_of(words) for words in texts}
    con.execute("INSERT INTO main.client_word SELECT unnest($1), unnest($2)", [list(seen), list(seen.values())])
    found = sorted({(word, tool) for words, word in seen.items() if (tool := tool_of(words))})
    pairs = [[word for word, _ in found], [tool for _, tool in found]]
    con.execute("INSERT INTO main.tool SELECT * FROM (SELECT unnest($1) AS word, unnest($2) AS tool) n ANTI JOIN main.tool USING (word)", pairs)


def word_of(words: str) -> str:
    """One name for a browser or program: `chrome on windows` of a user agent, the tool of a tool, else the words without their versions."""
    tool = tool_of(words)
    if tool is not None:
        return tool
    if words.startswith("Mozilla/"):
        parsed = ua_parser.parse(words)
        if parsed.user_agent is not None and parsed.os is not None:
            return f"{parsed.user_agent.family} on {parsed.os.family}".lower()
    return _VERSION.sub("", words.lower()).strip()


def tool_of(words: str) -> str | None:
    """The tool that a client text names, or None."""
    lower = words.lower()
    return next((tool for part, tool in _tools() if part in lower), None)


@cache
def _tools() -> tuple[tuple[str, str], ...]:
    entries = content.loads(resources.files("unbidden").joinpath("agents.yml").read_text("utf-8"))
    return tuple((part, entry["tool"]) for entry in entries for part in entry["matches"])
