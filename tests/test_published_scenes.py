"""Twelve scenes and what the published numbers make of them, worked out once before these rules were written and apart from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests import vendor_rows
from unbidden.evaluate.claims import Claim
from unbidden.evaluate.compare import claims
from unbidden.proving.timelines import span

_PLACES = {"home": "home", "away": "stranger"}


def asked(times: int, every: str, fate: str, *, first: str = "0s", place: str = "away") -> list[dict[str, Any]]:
    """That many prompts in one session, each of the same fate."""
    step = {"times": times, "every": every, "session": "s", "from": _PLACES[place]}
    ends = span(first).total_seconds() + (60 if fate == "unanswered" else 5)
    return [{"does": "sent", "at": first, **step}, {"does": fate, "at": f"{ends}s", **step}]


def approved(at: str, place: str = "away") -> list[dict[str, Any]]:
    return [{"does": "approved", "at": at, "session": "s", "from": _PLACES[place]}]


SCENES: Mapping[str, list[dict[str, Any]]] = {
    "ignored, one a minute for an hour, then approved": asked(60, "1m", "unanswered") + approved("60m30s"),
    "eight denied in four minutes, then approved": asked(8, "30s", "denied") + approved("4m20s"),
    "three denied, then approved": asked(3, "1m", "denied") + approved("4m"),
    "two a day, ignored": asked(5, "1d", "unanswered") + asked(5, "1d", "unanswered", first="6h"),
    "nine denied and nine ignored": asked(9, "1m", "denied") + asked(9, "1m", "unanswered", first="30s"),
    "fifty ignored in ten minutes": asked(50, "12s", "unanswered"),
    "seven denied across an edge": asked(7, "40s", "denied", first="8m"),
    "the first one approved": asked(1, "1m", "approved"),
    "own VPN client, eight in half a minute": asked(8, "4s", "unanswered", place="home"),
    "own VPN client, three approved": asked(3, "1m", "approved", place="home"),
    "two mis-taps, then approved": asked(2, "30s", "denied", place="home") + approved("2m", "home"),
    "own client asks again after each denial": asked(30, "8s", "denied", place="home"),
}
# Per rule: the provider whose rows are taken, and for each scene whether it fires.
TABLE = {
    "elastic_okta_bombing": ("okta", "· ● · · ● · ● · · · · ●"),
    "splunk_okta_failed_mfa_burst": ("okta", "· · · · · · · · · · · ●"),
    "datadog_okta_pushes_denied": ("okta", "· ● ● · ● · ● · · · ● ●"),
    "splunk_entra_denied": ("entra", "· · · · · · · · · · · ●"),
    "sentinel_entra_spam_then_login": ("entra", "· · · · · · · · · · · ·"),
    "panther_auth0_pushes": ("duo", "● ● · · ● ● ● · ● · · ●"),
    "oort_mfa_flood": ("duo", "· · · · · ● · · ● · · ●"),
    "pingid_limit_push": ("duo", "● ● · · ● ● ● · ● · · ●"),
    "mssp_duo_failures": ("duo", "● ● · · ● ● ● · ● · · ●"),
}


def rows_at(provider: str, scene: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the provider's log has of a scene: Okta shows sends and no silence, the others answers alone."""
    hidden = "unanswered" if provider == "okta" else "sent"
    return [step for step in scene if step["does"] != hidden]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[Claim]]]:
    found = {}
    for provider in ("okta", "entra", "duo"):
        stories = {(0, provider, number): {"provider": provider, "rows": rows_at(provider, scene)} for number, scene in enumerate(SCENES.values())}
        found[provider] = claims(vendor_rows.run(tmp_path_factory.mktemp(provider), stories).con)
    return found


@pytest.mark.parametrize("name", TABLE)
def test_scenes(name: str, said: dict[str, dict[str, list[Claim]]]) -> None:
    provider, marks = TABLE[name]
    got = {
        scene: any(claim.user in vendor_rows.names_of(provider, number, {}) and claim.at >= vendor_rows.start_of(0, number) for claim in said[provider][name])
        for number, scene in enumerate(SCENES)
    }
    assert got == dict(zip(SCENES, [mark == "●" for mark in marks.split()], strict=True))
