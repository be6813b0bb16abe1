"""A message that says that it is only a test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from unbidden.alerts.letter import Letter, Means
from unbidden.alerts.message import trial_message
from unbidden.alerts.sending import send
from unbidden.alerts.settings import Target
from unbidden.desk.telling import outbox_id
from unbidden.wire import Wire


def send_test(name: str, target: Target, environment: Mapping[str, str], at: datetime) -> None:
    """Send a test to a target, past outbox and quiet hours. Raises DeliveryError when the target did not take it."""
    wire = Wire(attempts=1, timeout_s=20.0)
    letter = Letter(outbox_id("test", at.isoformat(), name), "test", "test", at, trial_message(name))
    try:
        send(target, letter, Means(wire, environment))
    finally:
        wire.close()
