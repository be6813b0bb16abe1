"""Sign-ins of Entra as the directory tells them: several rows for one, steps repeated, first copies that are completed later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from unbidden.simulate.transport import Row, chance

# The share of challenges whose row first comes without its step, and how long the completed copy takes, in seconds; nobody published either.
_INCOMPLETE = 0.12
_COMPLETED_S = (60, 900)
_SENT_S = 20
_CLAIM = "Previously satisfied"


def in_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of sign-ins, each with the steps of the same sign-in before it: a password given earlier is told again beside the challenge."""
    steps: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        own = [step for step in row.record["authenticationDetails"] if step["authenticationMethod"] != _CLAIM]
        before = steps.setdefault(row.record["correlationId"], [])
        told = (before or [step for step in row.record["authenticationDetails"] if step["authenticationMethod"] == _CLAIM]) + own
        details = [{**step, "RequestSequence": number} for number, step in enumerate(told)]
        yield Row(row.at, row.name, {**row.record, "authenticationDetails": details})
        before += own


def streamed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows as they are streamed, in the envelope of Azure Monitor: of some challenges an incomplete copy first, and the whole one minutes later."""
    for row in in_rows(rows):
        if row.record["status"]["additionalDetails"] and chance("incomplete", row.name) < _INCOMPLETE:
            status = {**row.record["status"], "additionalDetails": None}
            yield _sent(Row(row.at, f"{row.name}-first", {**row.record, "authenticationDetails": [], "status": status}), _SENT_S)
            yield _sent(row, _COMPLETED_S[0] + chance("completed", row.name) * (_COMPLETED_S[1] - _COMPLETED_S[0]))
        else:
            yield _sent(row, _SENT_S)


def _sent(row: Row, after_s: float) -> Row:
    sent, record, status = row.later(after_s), row.record, row.record["status"]
    return Row(sent.at, row.name, {
        "time": sent.at.isoformat(timespec="microseconds") + "Z", "resourceId": f"/tenants/{record['homeTenantId']}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity", "operationVersion": "1.0", "category": "SignInLogs", "tenantId": record["homeTenantId"],
        "resultType": str(status["errorCode"]), "resultSignature": "None", "resultDescription": status["failureReason"], "durationMs": 0,
        "callerIpAddress": record["ipAddress"], "correlationId": record["correlationId"], "identity": record["userDisplayName"], "Level": 4,
        "location": record["location"]["countryOrRegion"], "properties": record,
    })  # fmt: skip
