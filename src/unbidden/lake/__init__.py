"""The lake: every row as it came (`raw`), what it says (`event`) and what could not be read (`unread`), as Delta tables that anything can open.

Rows and the cursors of their sources are one commit: either both are there or neither. Only this package knows Delta.
"""

from unbidden.lake.faults import LakeError
from unbidden.lake.files import Damage
from unbidden.lake.lake import Lake
from unbidden.lake.reading import Kept, portions
from unbidden.lake.tables import TABLES

__all__ = ["TABLES", "Damage", "Kept", "Lake", "LakeError", "portions"]
