"""A service of its own process for tests: the HTTP door and a lake in a file. It prints its port, and runs until it is killed, a minute at most."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.doors.lake import hec, running
from unbidden.doors.http import Surroundings, app
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http

LIFE_S = 60


def main(kept: Path) -> None:
    """Run."""
    settings = Http(port=0, hec=(hec("plain", "env:ONE"), hec("acked", "env:TWO", acknowledges=True)))
    with running(file=kept) as lake:
        port = Serving(app(settings, lake.intake, Surroundings({"ONE": "one", "TWO": "two"}, lake.is_kept)), settings).start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        time.sleep(LIFE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
