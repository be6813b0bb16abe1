"""Hostile logs are judged like any others, and no column that can hold their words is left out of the trial."""

from __future__ import annotations

from tests.hostile import scenes
from tests.hostile.conftest import Case
from tests.hostile.strings import STRINGS

SIGNS = "[<=@|{+\x1b\u202e\u200b]|\\[x|A{50}|javascript"


def test_the_bombing_becomes_an_incident_whatever_the_words_are(case: Case) -> None:
    bombed = {one["user"] for one in case.incidents if one["severity"] in ("high", "critical") and one["prompts"]["sent"] >= 20}
    wanted = {login.strip().lower() for login in scenes.logins_of(case.provider)}
    # Where a log tells people apart by an id, any other name of theirs may be the one that is shown.
    assert len(bombed) == len(wanted)
    assert len(bombed & wanted) >= 4


def test_every_text_was_in_some_log(cases: dict[str, Case]) -> None:
    words = "\n".join(case.words for case in cases.values())
    assert [name for name, text in STRINGS.items() if text[:40].strip() not in words and text[:40].strip().lower() not in words] == []
