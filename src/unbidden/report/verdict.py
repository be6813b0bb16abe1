"""The answer to the one question (was anyone bombed, and did anyone give in?) in a headline and a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unbidden.report.words import ALERTS, SEVERITIES, Json, clean, counted, is_breach, listing, unseen


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `breach` (somebody gave in), `attack` (attempts, none approved), `quiet` or `blind` (nothing to judge)."""

    level: Literal["breach", "attack", "quiet", "blind"]
    headline: str
    sentences: tuple[str, ...]


def ordered(result: Json) -> list[Json]:
    """The incidents, highest risk first; of equal risk the most severe, then the earliest."""
    return sorted(result["incidents"], key=lambda incident: (-incident["risk"], SEVERITIES.index(incident["severity"]), incident["first_at"], incident["id"]))


def verdict(result: Json) -> Verdict:
    """What the result says as a whole. Low-risk incidents are recorded; they do not make the headline."""
    alerts = [incident for incident in ordered(result) if incident["severity"] in ALERTS]
    inside = [incident for incident in alerts if is_breach(incident)]
    held = [incident for incident in alerts if incident["stage"] == "attempted"]
    if inside:
        return Verdict("breach", _breach(_users(inside)), (*_stays(inside), *_held(held), *_low(result), _scope(result)))
    if held:
        targets = _users(held)
        headline = f"{counted(len(targets), 'person was', 'people were')} bombed with prompts. Nobody gave in."
        return Verdict("attack", headline, (f"Treat the password of {listing(targets)} as known to the attacker.", *_low(result), _scope(result)))
    if not result["people"]["prompts"]:
        return Verdict("blind", "No MFA prompt could be read, so there is no answer.", ("This is not an all-clear: look at what was read, below.",))
    return Verdict("quiet", "Nobody was bombed, as far as these logs can show.", (*_low(result), _scope(result), *_caveat(result)))


def _breach(users: Sequence[str]) -> str:
    if len(users) == 1:
        return "1 person gave in: a prompt of an attack was approved."
    return f"{len(users)} people gave in: prompts of attacks were approved."


def _users(incidents: Sequence[Json]) -> list[str]:
    return list(dict.fromkeys(clean(incident["user"]) for incident in incidents))


def _stays(inside: Sequence[Json]) -> list[str]:
    lasting = _users([incident for incident in inside if incident["stage"] == "persisted"])
    others = [user for user in _users(inside) if user not in lasting]
    sentences = []
    if lasting:
        sentences.append(f"Act first on {listing(lasting)}: after the approval, access was kept or widened.")
    if others:
        sentences.append(f"{'Then' if lasting else 'Act now'} on {listing(others)}: approved, and nothing further was seen so far.")
    return sentences


def _held(held: Sequence[Json]) -> list[str]:
    return (
        [f"{counted(len(held), 'more attack')} got no approval: {listing(_users(held))}. Treat the password as known to the attacker all the same."]
        if held
        else []
    )


def _low(result: Json) -> list[str]:
    low = sum(incident["severity"] == "low" for incident in result["incidents"])
    return [f"{counted(low, 'incident')} of low risk {'is' if low == 1 else 'are'} recorded as well."] if low else []


def _scope(result: Json) -> str:
    people = result["people"]
    return f"Judged: {counted(people['prompts'], 'prompt')} to {people['asked']:,} of {counted(people['people'], 'person', 'people')} in these logs."


def _caveat(result: Json) -> list[str]:
    providers = [clean(provider["title"]) for provider in result["blind_spots"] if unseen(provider)]
    unread = len(result["unread"])
    sentences = [f"Not everything can be seen in the logs of {listing(providers)}; see the blind spots."] if providers else []
    return sentences + ([f"{counted(unread, 'row')} could not be read and {'was' if unread == 1 else 'were'} not judged."] if unread else [])
