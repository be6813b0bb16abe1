"""Campaigns: which incidents are tied, by what, and what is told of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from unbidden import engine
from unbidden.detect import detections
from unbidden.line import Run
from unbidden.proving import timelines
from unbidden.result import document

FLOOD = {"fate": "denied", "times": 5, "every": "60s"}


def attacked(**more: Any) -> dict[str, Any]:
    return {"prompts": [{"at": "0s", **FLOOD, "with": {"ip": "198.18.9.9", "asn": 64900, "client": "edge on linux", **more}}]}


def tied(*stories: dict[str, Any], stagger: str = "30m") -> list[set[str]]:
    """What ties the one person of each story: one set for each pair of neighbours, in a world of their own, `stagger` apart."""
    together = {
        "people": len(stories), "stagger": stagger,
        "prompts": [{**prompt, "only": number} for number, story in enumerate(stories) for prompt in story["prompts"]],
    }  # fmt: skip
    con, _ = timelines.judge({"world": together}, detections())
    rows = engine.rows(con, "SELECT i.person, t.what, t.value, t.chain FROM tie t JOIN incident i USING (incident_id)")
    of = [{row[1:] for row in rows if str(row[0]).startswith(f"world-{number}@")} for number in range(len(stories))]
    return [{str(tie[0]) for tie in left & right} for left, right in pairwise(of)]


@pytest.mark.parametrize(
    ("other", "stagger", "wanted"),
    [
        ({}, "30m", {"address", "network", "provider and client"}),
        ({}, "5h", {"address"}),
        ({}, "8d", set()),
        ({"ip": "198.18.9.77"}, "3h", {"network", "provider and client"}),
        ({"ip": "198.18.44.1"}, "3h", {"provider and client"}),
        ({"ip": "198.18.44.1", "client": "opera on linux"}, "3h", set()),
        ({"ip": "198.18.44.1", "asn": 64901}, "3h", set()),
    ],
)
def test_what_is_shared_ties_for_a_while(other: dict[str, Any], stagger: str, wanted: set[str]) -> None:
    assert tied(attacked(), attacked(**other), stagger=stagger) == [wanted]


def test_one_tool_ties_whatever_the_address() -> None:
    script = {"client": "python-requests/2.32.3"}
    assert tied(attacked(**script), attacked(ip="198.18.44.1", asn=64901, **script)) == [{"tool"}]


def test_a_campaign_is_told_as_one_story() -> None:
    together = {"people": 2, "stagger": "10m", "prompts": [{"at": "0s", **FLOOD}]}
    con, _ = timelines.judge({"world": together}, detections())
    [campaign] = document(Run(con, timelines.EPOCH))["campaigns"]
    assert campaign["people"] == 2
    assert campaign["sent"] == 10
    assert campaign["ties"][0] == {"what": "address", "value": "203.0.113.77", "incidents": 2}
    assert "2 people were asked 10 times" in campaign["story"][0]
    assert campaign["story"][-1] == "Nobody was let in."
