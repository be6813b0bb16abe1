"""Adds to a lake without end, each commit with the cursor of its last row, and says every number that was confirmed. Run as a program, to be killed."""

from __future__ import annotations

import sys

from tests.lake.rows import NOW, lot
from unbidden.lake import Lake


def main() -> None:
    """Go on where the lake says."""
    lake = Lake.open(sys.argv[1])
    at = int((lake.cursor("okta") or {"page": "0"})["page"])
    while True:
        lake.append([lot(*(f"row {at + number}" for number in range(1, 8)), cursor=at + 7)], NOW)
        at += 7
        sys.stdout.write(f"{at}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
