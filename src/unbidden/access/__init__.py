"""Access: who is at the console or the API, and what they may do there."""

from unbidden.access.viewer import ROLES, SCOPES, Refused, Role, Scope, Viewer, require

__all__ = ["ROLES", "SCOPES", "Refused", "Role", "Scope", "Viewer", "require"]
