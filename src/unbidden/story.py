"""The story of an incident in plain sentences, from its facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from unbidden.providers import registry

_FATES = {
    "denied": "denied", "reported": "reported as not theirs", "wrong_number": "answered with a wrong number", "wrong_code": "answered with a wrong code",
    "cancelled": "cancelled", "unanswered": "ignored", "blocked": "blocked by the provider",
    "failed": "not approved (the log does not say why)",
    "pending": "still open when the logs end", "approved": "approved",
}  # fmt: skip
_FACTORS = {
    "push": "push",
    "number_push": "push with number matching",
    "sms": "text message",
    "call": "phone call",
    "email": "mail",
    "unknown": "unknown factor",
}
_OUTCOMES = {
    "added": "a new authenticator was added", "changed": "an authenticator was changed", "removed": "an authenticator was removed",
    "reset": "all authenticators were reset", "bypassed": "a way past MFA was opened",
}  # fmt: skip
_POLICIES = {
    "weakened": "sign-in rules were changed to ask for less", "granted": "rights were granted", "consented": "an app was given access",
    "mail_rule": "a rule or forwarding was set on the mailbox",
}  # fmt: skip
# A detection whose session has a sentence of its own.
_REUSED = "session_reused"


def tell(facts: Mapping[str, Any], prompts: Sequence[Mapping[str, Any]], words: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences in time order: what was asked, from where, what became of it, who answered, what followed, when it was known.

    Each word carries the `template` of its detection's own sentence, or None, and the detection's `weight`.
    """
    zone = ZoneInfo(facts["time_zone"]) if facts["time_zone"] else None
    sentences: list[str] = []
    if prompts:
        sentences += [_asked(facts, prompts, zone), *_from_where(prompts), *_fates(prompts), *_gave_in(facts, prompts, zone), *_answered(prompts)]
    day = prompts[0]["sent_at"].date() if prompts else None
    sentences += _sessions([word for word in words if _is_session(word)], zone, day)
    # One change may have several rows.
    sentences += dict.fromkeys(_word(word, zone, day) for word in told_once(words) if not _is_session(word))
    sentences += _known_when(facts, zone, "request" if prompts else "sign of it")
    return sentences


# What a tie of a campaign is called in a sentence.
_TIES = {
    "address": "the address {}", "network": "the network {}", "provider and client": "one provider and browser ({})", "tool": "the tool {}",
    "department and client": "one department and browser within the hour ({})",
}  # fmt: skip


def tell_campaign(campaign: Mapping[str, Any]) -> list[str]:
    """Sentences about incidents that are tied: whom it befell and when, what they have in common, and what it came to."""
    span = length(campaign["last_at"] - campaign["first_at"])
    groups = f" of {_listed(campaign['departments'])}" if campaign["departments"] else ""
    sentences = [f"From {when(campaign['first_at'], None)}, for {span}, {campaign['people']} people{groups} were asked {campaign['sent']} times."]
    shared = [_TIES[tie["what"]].format(tie["value"]) + f" ({tie['incidents']})" for tie in campaign["ties"][:4]]
    more = f" and {len(campaign['ties']) - 4} more ties" if len(campaign["ties"]) > 4 else ""
    sentences.append(f"Common to the incidents, with how many of them: {_listed(shared)}{more}.")
    let_in = campaign["approved"]
    sentences.append(f"{_listed(let_in[:6])}{f' and {len(let_in) - 6} more' if len(let_in) > 6 else ''} gave in." if let_in else "Nobody was let in.")
    return sentences


def told_once(words: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The words; of those with a sentence of their own only the first of the weightiest detection of each evidence group."""
    first: dict[str, Mapping[str, Any]] = {}
    for word in words:
        if word["template"]:
            group = str(word["evidence"])
            first[group] = max(first.get(group, word), word, key=lambda word: float(word["weight"]))
    return [word for word in words if not word["template"] or any(word is one for one in first.values())]


def when(at: datetime, zone: ZoneInfo | None, day: date | None = None) -> str:
    """A time in UTC, with the person's local time behind it where that is known; its date is left out where it is the given day."""
    text = at.strftime("%H:%M UTC" if at.date() == day else "%-d %B %Y %H:%M UTC")
    if zone is None:
        return text
    local = at.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
    return f"{text} ({local.strftime('%H:%M' if local.date() == at.date() else '%a %H:%M')} local)"


def length(span: timedelta) -> str:
    """A span in words: 45 seconds, 12 minutes, 3 hours, 5 days."""
    seconds = int(span.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= 2 * size or size == 1:
            count = round(seconds / size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


def place(row: Mapping[str, Any]) -> str:
    """An address with what is known of it in brackets."""
    known = [str(part) for part in (row.get("org"), row.get("city"), row.get("country")) if part]
    return str(row.get("ip") or "an unknown address") + (f" ({', '.join(known)})" if known else "")


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _asked(facts: Mapping[str, Any], prompts: Sequence[Mapping[str, Any]], zone: ZoneInfo | None) -> str:
    first, last = prompts[0]["sent_at"], prompts[-1]["sent_at"]
    count = "once" if len(prompts) == 1 else f"{len(prompts)} times"
    span = f"On {when(first, zone)}" if last - first < timedelta(minutes=1) else f"From {when(first, zone)}, for {length(last - first)},"
    factors = _listed(sorted({_FACTORS.get(prompt["factor"], prompt["factor"]) for prompt in prompts}))
    apps = sorted({str(prompt["app"]) for prompt in prompts if prompt["app"]})
    to = f" to {_listed(apps[:3])}" if apps else ""
    title = _listed(sorted({registry()[prompt["provider"]].TITLE for prompt in prompts}))
    kind = "reset the password" if all(prompt["intent"] == "recovery" for prompt in prompts) else f"approve a sign-in{to}"
    return f"{span} {facts['person']} was asked {count} to {kind} (by {factors}; seen by {title})."


def _from_where(prompts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    places = list(dict.fromkeys(place(prompt) for prompt in prompts if prompt["ip"]))
    if not places:
        yield "The log does not say where the requests came from."
        return
    some = _listed(places[:3]) + (f" and {len(places) - 3} more addresses" if len(places) > 3 else "")
    strangers = [prompt for prompt in prompts if not prompt["is_known_place"]]
    if not all(prompt["has_history"] for prompt in prompts):
        yield f"The requests came from {some}; the logs hold too little of this person's past to say whether that is usual."
    elif len(strangers) == len(prompts):
        new = "in a country" if all(prompt["country_days"] == 0 for prompt in prompts) else "at a place"
        seen = [(prompt["client_days"], prompt["device_days"]) for prompt in prompts]
        is_strange = not any(client or device for client, device in seen) and all(0 in days for days in seen)
        browser = " and with a browser or device never seen with them" if is_strange else ""
        yield f"The requests came from {some}, {new} where this person had never signed in before{browser}."
    elif strangers:
        yield f"The requests came from {some}; {len(strangers)} of {len(prompts)} from places where this person had never signed in before."
    else:
        yield f"The requests came from {some}, where this person usually signs in."


def _fates(prompts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    counts = {fate: sum(prompt["fate"] == fate for prompt in prompts) for fate in _FATES if fate != "approved"}
    said = [f"{count} {_FATES[fate]}" for fate, count in counts.items() if count]
    if len(said) == 1 and len(prompts) > 1 and max(counts.values()) == len(prompts):
        yield f"All were {said[0].split(' ', 1)[1]}."
    elif said and len(prompts) > 1:
        yield f"Of these, {_listed(said)}."
    elif said:
        yield f"It was {said[0].split(' ', 1)[1]}."


def _gave_in(facts: Mapping[str, Any], prompts: Sequence[Mapping[str, Any]], zone: ZoneInfo | None) -> Iterator[str]:
    approved = [prompt for prompt in prompts if prompt["fate"] == "approved"]
    if facts["approved_at"] is None:
        if approved:
            yield f"{len(approved)} approved from the person's own place or device; they look like their own."
        else:
            yield "Nobody was let in."
        return
    giving = next((prompt for prompt in approved if prompt["fate_at"] == facts["approved_at"]), approved[0])
    before = sum(prompt["sent_at"] < giving["sent_at"] for prompt in prompts)
    after = f", after {before} that {'was' if before == 1 else 'were'} not" if before else ", the first one"
    yield f"At {when(facts['approved_at'], zone, prompts[0]['sent_at'].date())} a request from {place(giving)} was approved{after}."


def _answered(prompts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    far = [p for p in prompts if p["answer_km"] or (p["answer_country"] and p["country"] and p["answer_country"] != p["country"])]
    if far:
        widest = max(far, key=lambda prompt: prompt["answer_km"] or 0)
        where = ", ".join(str(part) for part in (widest["answer_city"], widest["answer_country"]) if part) or widest["answer_ip"]
        how = f", {widest['answer_km']:,.0f} km from the requester" if widest["answer_km"] else ", in another country than the requester"
        if (widest["answer_km"] or 1000) > 100:
            yield f"The phone that answered was in {where}{how}."


def _is_session(word: Mapping[str, Any]) -> bool:
    return bool(word["kind"] == "session" and word["detection"] != _REUSED)


def _sessions(words: Sequence[Mapping[str, Any]], zone: ZoneInfo | None, day: date | None) -> Iterator[str]:
    """The sessions that followed, in one sentence."""
    if not words:
        return
    apps = list(dict.fromkeys(str(word["app"]) for word in words if word["app"]))
    opened = f" in {_listed(apps[:4])}" if apps else ""
    start = "a session began" if len(words) == 1 else f"{len(words)} sessions began"
    yield f"{'At' if len(words) == 1 else 'From'} {when(words[0]['fired_at'], zone, day)} {start}{opened} from {place(words[0])}."


def _word(word: Mapping[str, Any], zone: ZoneInfo | None, day: date | None) -> str:
    at = when(word["fired_at"], zone, day)
    if word["template"]:
        return str(word["template"]).format(at=at, **json.loads(word["numbers"]))
    source = f" from {place(word)}" if word.get("ip") and word["kind"] not in ("report", "answer") else ""
    if word["detection"] == _REUSED:
        return f"At {at} a session that had begun elsewhere, in another browser, went on{source}."
    what = _done(word)
    return f"At {at} {what}{source}{_within(word)}{_by(word)}." if what else f"At {at} the identity provider raised its own alarm ({word['code']})."


def _done(word: Mapping[str, Any]) -> str | None:
    """What was done to the account, as the rest of a sentence; None for a vendor's alarm."""
    match word["kind"]:
        case "factor":
            return f"{_OUTCOMES.get(word['outcome'], 'authenticators were changed')}{_named(word) if word['outcome'] == 'bypassed' else ''}"
        case "device":
            return f"a device was registered{_named(word)}"
        case "recovery":
            return "the password was set anew"
        case "report" | "answer" | "prompt" if word["kind"] == "report" or word["outcome"] == "reported":
            return "the person reported that it was not them"
        case "policy":
            return f"{_POLICIES.get(word['outcome'], 'the account changed rules or rights')}{_named(word)}"
        case _:
            return None


def _named(word: Mapping[str, Any]) -> str:
    """The vendor's name of what was done, without the word that it worked."""
    name = str(word["code"] or "").removesuffix(" success").removesuffix(" SUCCESS")
    return f" ({name})" if name else ""


def _within(word: Mapping[str, Any]) -> str:
    """That the change came from elsewhere, in the session that was won."""
    return ", in the session that the approval opened" if json.loads(word["numbers"]).get("way") == "session" else ""


def _by(word: Mapping[str, Any]) -> str:
    return f", by {word['actor']}" if word.get("actor") else ""


def _known_when(facts: Mapping[str, Any], zone: ZoneInfo | None, first: str) -> Iterator[str]:
    detected, approved = facts["detected_at"], facts["approved_at"]
    if detected is None:
        return
    text = f"The evidence was enough to alert at {when(detected, zone, facts['first_at'].date())}"
    if approved is not None and detected < approved:
        yield f"{text}, {length(approved - detected)} before the approval."
    elif approved is not None:
        yield f"{text}, when it was already approved." if detected > approved else f"{text}, with the approval itself."
    else:
        yield f"{text}, {length(detected - facts['first_at'])} after the first {first}." if detected > facts["first_at"] else f"{text}, with the first {first}."
