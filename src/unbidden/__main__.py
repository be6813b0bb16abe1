"""The way in: as a command, and as `python -m unbidden`."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def main() -> None:
    """Run the command line. Ctrl-C ends it with 130, whenever it comes; a result that was to be written is whole or not there."""
    # While modules are loaded there is nothing to tidy up, and an exception out of the middle of one could end anywhere. A command sets its own handler.
    signal.signal(signal.SIGINT, lambda *_: _stop_at_once())
    from unbidden.cli import app  # noqa: PLC0415 - loaded under the handler above

    app()


def _stop_at_once() -> NoReturn:
    os.write(2, b"Stopped.\n")
    os._exit(130)


if __name__ == "__main__":
    main()
