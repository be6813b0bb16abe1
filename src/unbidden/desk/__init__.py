"""The desk: what people decided and what was told to them, in SQLite or PostgreSQL. The only code that knows SQLAlchemy."""

from unbidden.desk.database import DeskError
from unbidden.desk.desk import Desk, Recorded
from unbidden.desk.outbox import Parcel
from unbidden.desk.record import Change
from unbidden.desk.telling import TargetRule

__all__ = ["Change", "Desk", "DeskError", "Parcel", "Recorded", "TargetRule"]
