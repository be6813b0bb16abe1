"""The way in: as a command, and as `python -m unbidden`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Ctrl-C ends it with 130, whenever it comes; a result that was to be written is whole or not there."""
    try:
        from unbidden.cli import app  # noqa: PLC0415 - so that a Ctrl-C while everything is loaded ends well too

        app()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
