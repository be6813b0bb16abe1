"""One door to all kinds of targets."""

from __future__ import annotations

from typing import assert_never

from unbidden.alerts import apprise, email, slack, syslog, teams, webhook
from unbidden.alerts.letter import Letter, Means
from unbidden.alerts.settings import AppriseTarget, EmailTarget, SlackTarget, SyslogTarget, Target, TeamsTarget, WebhookTarget


def send(target: Target, letter: Letter, means: Means) -> str | None:
    """Send a letter; the reference of its thread where the target has threads. Raises DeliveryError when the target did not take it."""
    match target:
        case SlackTarget():
            return slack.send(target, letter, means)
        case EmailTarget():
            return email.send(target, letter, means)
        case WebhookTarget():
            webhook.send(target, letter, means)
        case TeamsTarget():
            teams.send(target, letter, means)
        case SyslogTarget():
            syslog.send(target, letter, means)
        case AppriseTarget():
            apprise.send(target, letter, means)
        case _:
            assert_never(target)
    return None
