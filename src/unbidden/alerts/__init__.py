"""Alerts: what the desk's outbox holds, in plain words, on its way to people."""

from unbidden.alerts.delivery import Deliverer, Summary, rules_of

__all__ = ["Deliverer", "Summary", "rules_of"]
