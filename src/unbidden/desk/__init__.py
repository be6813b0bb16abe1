"""The desk: what people decided and what was told to them, in SQLite or PostgreSQL. The only code that knows SQLAlchemy."""

from unbidden.desk.chain import Verified
from unbidden.desk.database import DeskError
from unbidden.desk.desk import Desk, Recorded
from unbidden.desk.fired import Fired
from unbidden.desk.handling import STATES, VERDICTS, Decision, Handling, NoIncidentError, StaleError, State, UndecidableError, Verdict
from unbidden.desk.listing import Brief, Choice, Ended, Mark, Person
from unbidden.desk.news import ForgottenError, News
from unbidden.desk.outbox import Parcel
from unbidden.desk.record import Change
from unbidden.desk.telling import TargetRule

__all__ = [
    "STATES", "VERDICTS", "Brief", "Change", "Choice", "Decision", "Desk", "DeskError", "Ended", "Fired", "ForgottenError", "Handling", "Mark", "News",
    "NoIncidentError", "Parcel", "Person", "Recorded", "StaleError", "State", "TargetRule", "UndecidableError", "Verdict", "Verified",
]  # fmt: skip
