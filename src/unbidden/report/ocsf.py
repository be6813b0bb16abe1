"""The incidents as OCSF Detection Findings (class 2004), for any tool that reads the Open Cybersecurity Schema Framework.

Names and numbers are those of OCSF 1.8.0: github.com/ocsf/ocsf-schema, events/findings/detection_finding.json and the objects it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from typing import Any, TypeAlias

from unbidden.report.verdict import ordered
from unbidden.report.words import ALERTS, Json, asked, moment, stage

Object: TypeAlias = dict[str, Any]

OCSF = "1.8.0"
_CLASS, _CATEGORY, _CREATE = 2004, 2, 1
_SEVERITY = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_RISK_LEVEL = {"low": (1, "Low"), "medium": (2, "Medium"), "high": (3, "High"), "critical": (4, "Critical")}
_TYPE_IP, _TYPE_USER = 2, 4
_RULE, _BEHAVIOURAL = 1, 2

# Names and tactics from attack.mitre.org, Enterprise matrix. A technique that is missing here is given by its id alone.
_TACTICS = {"TA0001": "Initial Access", "TA0003": "Persistence", "TA0006": "Credential Access", "TA0043": "Reconnaissance"}
_TECHNIQUES = {
    "T1621": ("Multi-Factor Authentication Request Generation", "TA0006"),
    "T1078": ("Valid Accounts", "TA0001"),
    "T1078.004": ("Cloud Accounts", "TA0001"),
    "T1098": ("Account Manipulation", "TA0003"),
    "T1098.005": ("Device Registration", "TA0003"),
    "T1110": ("Brute Force", "TA0006"),
    "T1110.003": ("Password Spraying", "TA0006"),
    "T1110.004": ("Credential Stuffing", "TA0006"),
    "T1133": ("External Remote Services", "TA0001"),
    "T1556": ("Modify Authentication Process", "TA0006"),
    "T1556.006": ("Multi-Factor Authentication", "TA0006"),
    "T1566": ("Phishing", "TA0001"),
    "T1566.004": ("Spearphishing Voice", "TA0001"),
    "T1598": ("Phishing for Information", "TA0043"),
    "T1598.004": ("Spearphishing Voice", "TA0043"),
}


def findings(result: Json) -> list[Object]:
    """One Detection Finding per incident, highest risk first. The same incident always has the same `finding_info.uid`."""
    return [_finding(incident, result["as_of"]) for incident in ordered(result)]


def _finding(incident: Json, as_of: str) -> Object:
    severity_id, severity = _SEVERITY[incident["severity"]]
    risk_level_id, risk_level = _RISK_LEVEL[incident["severity"]]
    first, last = _ms(incident["first_at"]), _ms(incident["last_at"])
    return _told(
        activity_id=_CREATE, activity_name="Create", category_uid=_CATEGORY, category_name="Findings", class_uid=_CLASS, class_name="Detection Finding",
        type_uid=_CLASS * 100 + _CREATE, type_name="Detection Finding: Create", severity_id=severity_id, severity=severity, status_id=1, status="New",
        time=_ms(incident["detected_at"] or incident["last_at"]), start_time=first, end_time=last, duration=last - first, count=incident["prompts"]["sent"],
        message=_title(incident), is_alert=incident["severity"] in ALERTS, risk_score=incident["risk"], risk_level_id=risk_level_id, risk_level=risk_level,
        risk_details="; ".join(f"{entry['title']} ({entry['weight']:+.1f})" for entry in incident["evidence"]) or None,
        metadata=_metadata(incident, as_of), finding_info=_info(incident), evidences=_evidences(incident), observables=_observables(incident),
        remediation={"desc": "\n".join(f"{step['title']}: {step['why']}" for step in incident["steps"])} if incident["steps"] else None,
        unmapped=_told(**{key: incident[key] for key in ("stage", "prompts", "factors", "approved_at", "department", "privileged", "blind_spots")}),
    )  # fmt: skip


def _told(**fields: object) -> Object:
    """The fields that hold something: OCSF leaves out what is not known."""
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _ms(at: str) -> int:
    """Epoch milliseconds, OCSF's timestamp_t."""
    return round(moment(at).timestamp() * 1000)


def _title(incident: Json) -> str:
    return f"MFA push bombing of {incident['user']}: {stage(incident)} ({asked(incident['prompts'])})"


def _product() -> Object:
    try:
        return {"name": "unbidden", "vendor_name": "unbidden", "version": version("unbidden")}
    except PackageNotFoundError:
        return {"name": "unbidden", "vendor_name": "unbidden"}


def _metadata(incident: Json, as_of: str) -> Object:
    """Who wrote the finding; its uid changes with every run, and the campaign correlates findings."""
    return _told(version=OCSF, product=_product(), uid=f"{incident['id']}@{as_of}", logged_time=_ms(as_of), correlation_uid=incident["campaign"])


def _info(incident: Json) -> Object:
    events = dict.fromkeys(event for signal in incident["signals"] for event in signal["events"])
    rules: dict[str, str] = {entry["detection"]: entry["title"] for entry in incident["evidence"] if entry["detection"]}
    rules.update({signal["detection"]: signal["detection"] for signal in incident["signals"] if signal["detection"] not in rules})
    return _told(
        uid=incident["id"], title=_title(incident), desc=" ".join(incident["story"]), types=["Multi-factor authentication request generation"],
        analytic={"name": "unbidden", "uid": "unbidden", "type_id": _BEHAVIOURAL, "type": "Behavioral"},
        related_analytics=[{"name": title, "uid": name, "type_id": _RULE, "type": "Rule"} for name, title in rules.items()],
        attacks=[_attack(technique) for technique in incident["attack"]], data_sources=list(incident["providers"]),
        created_time=_ms(incident["detected_at"] or incident["last_at"]), modified_time=_ms(incident["last_at"]),
        first_seen_time=_ms(incident["first_at"]), last_seen_time=_ms(incident["last_at"]),
        related_events=[{"uid": event} for event in events], related_events_count=len(events),
    )  # fmt: skip


def _attack(uid: str) -> Object:
    """An ATT&CK technique as OCSF splits it: the technique, its sub-technique, and the tactic of the more exact of the two."""
    name, tactic = _TECHNIQUES.get(uid, (None, None))
    parent = uid.partition(".")[0]
    technique = _told(uid=parent, name=_TECHNIQUES[parent][0] if parent in _TECHNIQUES else None)
    return _told(
        technique=technique,
        sub_technique=_told(uid=uid, name=name) if uid != parent else None,
        tactic={"uid": tactic, "name": _TACTICS[tactic]} if tactic else None,
    )


def _evidences(incident: Json) -> list[Object]:
    user = {"name": incident["user"]}
    asking = [_told(name="asked for the prompts", src_endpoint=_endpoint(row), user=user, data=_told(known=row["known"])) for row in incident["requesters"]]
    answering = [_told(name="answered", src_endpoint=_endpoint(row), user=user, data=_told(device=row["device"])) for row in incident["answerers"]]
    weighing = [
        _told(name=entry["title"], uid=entry["detection"], data={key: entry[key] for key in ("group", "weight", "why")}) for entry in incident["evidence"]
    ]
    return [*asking, *answering, *weighing]


def _endpoint(row: Json) -> Object:
    """A network endpoint. What is no IP address is given as its name, since OCSF refuses it as one."""
    ip = row["ip"] if row["ip"] and _is_ip(row["ip"]) else None
    location = _told(city=row["city"], country=row["country"])
    system = _told(number=row.get("asn"), name=row.get("org"))
    return _told(ip=ip, name=None if ip else row["ip"] or "unknown", location=location or None, autonomous_system=system or None)


def _is_ip(text: str) -> bool:
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def _observables(incident: Json) -> list[Object]:
    found: list[Object] = [{"name": "evidences[].user.name", "type_id": _TYPE_USER, "type": "User Name", "value": incident["user"]}]
    addresses = dict.fromkeys(_addresses(incident["requesters"], incident["answerers"]))
    return found + [{"name": "evidences[].src_endpoint.ip", "type_id": _TYPE_IP, "type": "IP Address", "value": ip} for ip in addresses]


def _addresses(*sides: list[Mapping[str, Any]]) -> Iterator[str]:
    for side in sides:
        yield from (row["ip"] for row in side if row["ip"] and _is_ip(row["ip"]))
