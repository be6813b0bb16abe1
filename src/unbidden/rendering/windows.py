"""Windows Security log, written: documents of winlogbeat out of events, the inverse of `providers.windows`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

from typing import Any

from unbidden.providers import Event

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE: tuple[tuple[str, str | None, str | None], ...] = (
    ("password", "password", "success"), ("password", "password", "failure"), ("session", None, "success"), ("session", None, "failure"),
    ("session", None, "ended"), ("lockout", None, "locked"), ("recovery", None, "success"),
)  # fmt: skip

# The event of each kind and outcome, its status and its kind of logon.
_EVENT_OF: dict[tuple[str, str], tuple[str, str | None, str | None, str | None]] = {
    ("password", "success"): ("4768", "0x0", None, None), ("password", "failure"): ("4625", "0xc000006d", "0xc000006a", "3"),
    ("session", "success"): ("4624", None, None, "10"), ("session", "failure"): ("4625", "0xc000006e", "0xc0000072", "10"),
    ("session", "ended"): ("4647", None, None, None), ("lockout", "locked"): ("4740", None, None, None),
    ("recovery", "success"): ("4724", None, None, None),
}  # fmt: skip
_ROW = frozenset({"occurred_at", "kind", "factor", "outcome", "login", "tenant"})
_CARRIED = {"4624": {"ip", "device"}, "4625": {"ip", "device"}, "4768": {"ip"}, "4740": {"device"}, "4724": {"actor"}}


def carries(event: Event) -> frozenset[str]:
    """The columns that the event of this kind has fields for."""
    return _ROW | _CARRIED.get(_EVENT_OF[event["kind"], str(event["outcome"])][0], set())


def render(event: Event) -> list[dict[str, Any]]:
    """One document of winlogbeat; `event_id` becomes the record number."""
    number, status, substatus, logon_type = _EVENT_OF[event["kind"], str(event["outcome"])]
    is_lockout, domain = number == "4740", event.get("tenant")
    subject = str(event.get("actor") or "DC01$")
    data = {
        "TargetUserName": event.get("login"), "TargetDomainName": event.get("device") if is_lockout else domain,
        "SubjectUserName": subject.rsplit("\\", 1)[-1], "SubjectDomainName": domain if is_lockout else subject.rpartition("\\")[0] or "CORP",
        "IpAddress": event.get("ip"), "WorkstationName": None if is_lockout else event.get("device"), "Status": status, "SubStatus": substatus,
        "LogonType": logon_type, "PreAuthType": "2" if number == "4768" else None,
    }  # fmt: skip
    is_failure = event["outcome"] == "failure"
    return [
        {
            "@timestamp": f"{event['occurred_at']:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", "event": {"code": number},
            "winlog": {
                "channel": "Security", "provider_name": "Microsoft-Windows-Security-Auditing", "event_id": number, "record_id": event["event_id"],
                "computer_name": "dc01.corp.example.com", "keywords": ["Audit Failure" if is_failure else "Audit Success"],
                "event_data": {name: value for name, value in data.items() if value is not None},
            },
        }
    ]  # fmt: skip
