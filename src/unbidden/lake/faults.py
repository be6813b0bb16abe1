"""What can go wrong with a lake, said so that it can be acted on."""

from __future__ import annotations

import re

from deltalake.exceptions import DeltaError

from unbidden.errors import UnbiddenError

OTHER_SERVER = "another server writes this lake; stop one of the two, and start the other anew"
# What the library raises; a QueryBuilder raises plain exceptions.
_KNOWN = (DeltaError, OSError)


class LakeError(UnbiddenError):
    """The lake cannot be read or written; the text says where, why, and what to do."""


class OtherServerError(LakeError):
    """Another server writes the same lake. Nothing of this one's rows was kept."""


class OvertakenError(LakeError):
    """Somebody changed the table otherwise than by rows of a server, or cut off the log that the handle stood on: with a new handle it goes."""


class Telling:
    """Turns what Delta and the system raise inside it into LakeErrors."""

    def __init__(self, where: str, what: str) -> None:
        self._where, self._what = where, what

    def __enter__(self) -> None:
        """Nothing is held."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise the LakeError in the place of the error. A panic of the library is no Exception, and would end a thread unseen."""
        if isinstance(error, _KNOWN) or (error is not None and type(error).__name__ == "PanicException"):
            raise failed(self._where, self._what, error) from error


def failed(where: str, what: str, error: BaseException) -> LakeError:
    """What went wrong, in words that say what to do."""
    text = " ".join(re.split(r"\s0: |stack backtrace", str(error).replace("\n", " "))[0].split())
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    if getattr(error, "errno", None) == 28 or "No space left" in text or "os error 28" in text:
        return LakeError(f"{where}: the disk is full; make room and the server goes on where it stopped")
    if "Concurrent transaction" in text:
        return OtherServerError(f"{where}: {OTHER_SERVER}")
    kind = OvertakenError if "Failed to commit" in text or "Invalid table version" in text else LakeError
    return kind(f"{where}: the lake cannot be {what}: {text[:300]}")
