"""Access: who is at the console or the API, and what they may do there. The gate and the pages are in modules of their own, which load slowly."""

from unbidden.access.paths import Whole
from unbidden.access.viewer import ROLES, SCOPES, Refused, Role, Scope, Viewer, require

__all__ = ["ROLES", "SCOPES", "Refused", "Role", "Scope", "Viewer", "Whole", "require"]
