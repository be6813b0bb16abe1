"""Channels: what each provider's log shows of a challenge, asked of the providers themselves."""

from __future__ import annotations

from functools import cache

from unbidden.providers import registry

# Fates that leave no row although a row for them exists, with where it is known from.
_SILENT = {
    ("okta", "unanswered"): "without the early-access feature 'MFA abandonment' nothing is logged: Okta's event types, release 2026.08",
    ("okta", "cancelled"): "an abandoned sign-in page leaves nothing: the same",
    ("privacyidea", "unanswered"): "a client that walks away leaves nothing: recorded with server 3.14 (`lab` A.2)",
}
# What a server calls the phone that answers: its token's serial number.
_SERIALS = {("privacyidea", "push"): "PIPU", ("privacyidea", "sms"): "PISM", ("privacyidea", "totp"): "TOTP"}
# What a provider writes when it has no word for a fate.
_INSTEAD = {"reported": ("denied",), "cancelled": ("unanswered", "failed"), "wrong_number": ("failed",), "wrong_code": ("failed",), "blocked": ("failed",)}
# A challenge that a person can see or hear.
PROMPTED = frozenset({"push", "number_push", "sms", "call", "email"})
# How long a challenge can be answered when the provider's patience table has no entry; a guess.
_PATIENCE_S = 120


@cache
def exists(provider: str) -> bool:
    """There is such a provider."""
    return provider in registry()


@cache
def shows(provider: str, kind: str, factor: str | None, outcome: str | None) -> bool:
    """The provider's log has a row for exactly this."""
    return exists(provider) and (kind, factor, outcome) in set(registry()[provider].REPERTOIRE)


@cache
def spelling(provider: str, kind: str, factor: str | None, outcome: str) -> tuple[str | None] | None:
    """The factor under which the provider's log shows a kind and outcome, in a tuple; None when it does not show it.

    A send does not say whether a number is asked for, and a session may be logged without saying that it was remembered.
    """
    vaguer = {"prompt": "push" if factor == "number_push" else factor, "password": "password", "answer": factor, "factor": "push"}
    return next(((word,) for word in (factor, vaguer.get(kind)) if shows(provider, kind, word, outcome)), None)


@cache
def logged_fate(provider: str, factor: str, fate: str) -> str | None:
    """The outcome that the provider's log gives a challenge of that fate; None when it is silent."""
    if (provider, fate) in _SILENT:
        return None
    return next((word for word in (fate, *_INSTEAD.get(fate, ())) if (provider, word) not in _SILENT and shows(provider, "answer", factor, word)), None)


@cache
def is_seen(provider: str, factor: str) -> bool:
    """A challenge of that factor leaves a row even when nobody answers it."""
    return shows(provider, "prompt", factor, "sent") or logged_fate(provider, factor, "unanswered") is not None


@cache
def patience(provider: str, factor: str) -> int:
    """Seconds after which a challenge can no longer be answered."""
    table = registry()[provider].PATIENCE
    return table[factor].seconds if factor in table else _PATIENCE_S


@cache
def names_reports(provider: str) -> bool:
    """A report is a row of its own there, beside the answer."""
    return shows(provider, "report", None, "success") and not any(shows(provider, "answer", factor, "reported") for factor in PROMPTED)


def device_name(provider: str, factor: str, device: str) -> str:
    """What the provider's log calls a phone."""
    prefix = _SERIALS.get((provider, factor))
    return f"{prefix}{device[-8:]}" if prefix else device


def classic(kind: str, factor: str | None, outcome: str) -> dict[str, object]:
    """How Okta's Classic Engine writes an event, where it differs: refusals have an event type of their own, a password is the start of a session."""
    if kind == "password":
        return {"factor": None}
    if kind == "answer" and factor in ("push", "number_push"):
        return {"factor": "push", "code": f"user.mfa.okta_verify.{'deny_push' if outcome == 'denied' else 'verify'}"}
    return {}
