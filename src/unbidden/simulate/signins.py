"""Sign-ins of Entra as the directory tells them: several rows for one, steps repeated, first copies that are completed later."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from unbidden.simulate.transport import Row

# The share of challenges whose row first comes without its step, and how long the completed copy takes, in seconds; nobody published either.
_INCOMPLETE = 0.12
_COMPLETED_S = (60, 900)
_CLAIM = "Previously satisfied"


def in_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of sign-ins, each with the steps of the same sign-in before it: a password given earlier is told again beside the challenge."""
    steps: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        own = [step for step in row.record["authenticationDetails"] if step["authenticationMethod"] != _CLAIM]
        before = steps.setdefault(row.record["correlationId"], [])
        told = (before or [step for step in row.record["authenticationDetails"] if step["authenticationMethod"] == _CLAIM]) + own
        yield Row(row.at, {**row.record, "authenticationDetails": [{**step, "RequestSequence": number} for number, step in enumerate(told)]})
        before += own


def corrected(rows: Iterable[Row], rng: random.Random) -> Iterator[Row]:
    """The rows as they are streamed: of some challenges an incomplete copy first, and the whole one minutes later."""
    for row in rows:
        if row.record["status"]["additionalDetails"] and rng.random() < _INCOMPLETE:
            status = {**row.record["status"], "additionalDetails": None}
            yield Row(row.at + timedelta(seconds=20), {**row.record, "authenticationDetails": [], "status": status})
            yield Row(row.at + timedelta(seconds=rng.uniform(*_COMPLETED_S)), row.record)
        else:
            yield Row(row.at + timedelta(seconds=20), row.record)


def streamed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows in the envelope of Azure Monitor, in the order in which they were sent."""
    for row in sorted(rows, key=lambda row: row.at):
        record, status = row.record, row.record["status"]
        yield Row(row.at, {
            "time": f"{row.at:%Y-%m-%dT%H:%M:%S.%f}Z", "resourceId": f"/tenants/{record['homeTenantId']}/providers/Microsoft.aadiam",
            "operationName": "Sign-in activity", "operationVersion": "1.0", "category": "SignInLogs", "tenantId": record["homeTenantId"],
            "resultType": str(status["errorCode"]), "resultSignature": "None", "resultDescription": status["failureReason"], "durationMs": 0,
            "callerIpAddress": record["ipAddress"], "correlationId": record["correlationId"], "identity": record["userDisplayName"], "Level": 4,
            "location": record["location"]["countryOrRegion"], "properties": record,
        })  # fmt: skip
