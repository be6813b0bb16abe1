"""What the lab is made of, in the folder `.lab/`: privacyIDEA in an environment of its own; FreeRADIUS and libfaketime out of Debian's packages.

The packages are unpacked into the folder, not installed: this needs no rights, starts no daemon and changes nothing outside.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "privacyidea.lock"
# What FreeRADIUS needs and the machine has not is added by apt.
PACKAGES = ("freeradius", "freeradius-common", "freeradius-utils", "libfreeradius3", "libfaketime")
PROGRAMS = ("apt-get", "dpkg-deb", "openssl", "timeout")
# A server that nobody is enrolled in yet: `pi-manage` with these arguments makes it.
SETUP = (("setup", "create_enckey"), ("setup", "create_audit_keys"), ("setup", "create_tables"), ("admin", "add", "super", "-p", "lab"))
ENOUGH_S = 600


class CannotInstallError(Exception):
    """Something the lab is made of cannot be had on this machine."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the installed parts are."""

    folder: Path

    @property
    def venv(self) -> Path:
        """The environment of privacyIDEA."""
        return self.folder / "venv"

    @property
    def python(self) -> Path:
        """The interpreter that has privacyIDEA."""
        return self.venv / "bin" / "python"

    @property
    def manage(self) -> Path:
        """The program that sets privacyIDEA up and runs it."""
        return self.venv / "bin" / "pi-manage"

    @property
    def fresh(self) -> Path:
        """A server's folder right after it was set up: configuration, keys, empty tables, one administrator."""
        return self.folder / "fresh"

    @property
    def debian(self) -> Path:
        """The root of the unpacked packages."""
        return self.folder / "debian"

    @property
    def radius_environment(self) -> dict[str, str]:
        """Where FreeRADIUS finds its libraries."""
        places = {library.parent for library in self.debian.rglob("*.so*")}
        return {"LD_LIBRARY_PATH": ":".join(str(place) for place in sorted(places) if place.name != "faketime")}

    def library(self, name: str) -> Path:
        """A library of the unpacked packages."""
        return next(iter(sorted(self.debian.rglob(name))), self.debian / name)


def install(folder: Path) -> Parts:
    """The parts, installed into the folder unless they are there already. Raises CannotInstallError with the reason."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise CannotInstallError(f"not on this machine: {', '.join(missing)}")
    folder.mkdir(exist_ok=True)
    parts, lock = Parts(folder), LOCK.read_bytes() + sys.version.encode()
    with alone(folder / "lock"):
        unpack(folder, parts.debian, PACKAGES)
        environment(parts.venv, LOCK)
        _once(parts.fresh, lock + (HERE / "pi.cfg").read_bytes() + repr(SETUP).encode(), lambda: _fresh_server(parts))
    return parts


def _once(part: Path, edition: bytes, make: Callable[[], None]) -> None:
    """Make a part that is not there, or not in this edition."""
    stamp, wanted = part.with_suffix(".edition"), hashlib.sha256(edition).hexdigest()
    if not stamp.exists() or stamp.read_text("ascii") != wanted:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        make()
        stamp.write_text(wanted, "ascii")


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Only one process at a time is inside, however many run the tests."""
    with file.open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def unpack(folder: Path, root: Path, packages: Sequence[str]) -> None:
    """Unpack Debian's packages, and what they need that the machine has not, into a root inside the folder, unless they are there already.

    Raises CannotInstallError with the reason. Nobody else may do the same in the folder meanwhile.
    """
    _once(root, " ".join(packages).encode(), lambda: _unpack(folder, root, packages))


def _unpack(folder: Path, root: Path, packages: Sequence[str]) -> None:
    """From the lists of the machine, else from the newest ones."""
    archives, lists = folder / "archives", folder / "lists"
    shutil.rmtree(archives, ignore_errors=True)
    for place in (archives / "partial", lists / "partial"):
        place.mkdir(parents=True, exist_ok=True)
    apt = ("apt-get", "-qq", "-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={archives}")
    fetch = ("install", "--yes", "--download-only", "--reinstall", "--no-install-recommends", *packages)
    try:
        _do(*apt, *fetch)
    except CannotInstallError:
        own = ("-o", f"Dir::State::lists={lists}", "-o", "APT::Sandbox::User=")
        _do(*apt, *own, "update")
        _do(*apt, *own, *fetch)
    for archive in sorted(archives.glob("*.deb")):
        _do("dpkg-deb", "--extract", str(archive), str(root))
    shutil.rmtree(archives)
    shutil.rmtree(lists)


def environment(venv: Path, lock: Path) -> None:
    """Make an environment of what a lock names, unless it is there already.

    Raises CannotInstallError with the reason. Nobody else may do the same in the folder meanwhile.
    """
    _once(venv, lock.read_bytes() + sys.version.encode(), lambda: _environment(venv, lock))


def _environment(venv: Path, lock: Path) -> None:
    _do(sys.executable, "-m", "venv", str(venv))
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    _do(str(venv / "bin" / "python"), *pip, "--requirement", str(lock))


def _fresh_server(parts: Parts) -> None:
    parts.fresh.mkdir()
    shutil.copy(HERE / "pi.cfg", parts.fresh)
    for words in SETUP:
        _do(str(parts.manage), *words, env={"PRIVACYIDEA_CONFIGFILE": str(parts.fresh / "pi.cfg")})


def _do(*words: str, env: dict[str, str] | None = None) -> None:
    """Raises CannotInstallError with the last that the program said when it fails or takes too long."""
    try:
        subprocess.run(words, env={**os.environ, **(env or {})}, check=True, capture_output=True, text=True, timeout=ENOUGH_S)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "it said nothing").splitlines()[-1]
        raise CannotInstallError(f"{Path(words[0]).name} failed: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise CannotInstallError(f"{Path(words[0]).name} was not done after {ENOUGH_S} seconds") from error
