"""A phone with privacyIDEA's app: it has a key of its own, asks the server what is open, and answers as its owner taps.

Source: privacyIDEA documentation, push token, and `PushTokenClass` (`api_endpoint`) of 3.14.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tests.lab.clock import Clock
from tests.lab.process import output
from tests.lab.server import Server

Tap: TypeAlias = Literal["accept", "decline", "unknown_trigger", "cancelled"]
APP = "privacyIDEA-App/4.6.2 Android/16"


class Phone:
    """A phone that is enrolled by its `register`; `address` is where it is."""

    def __init__(self, server: Server, clock: Clock, key: Path, address: str) -> None:
        self._server, self._clock, self._key, self._address, self.serial = server, clock, key, address, ""
        output("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(key))

    def register(self, enrolment: Mapping[str, Any]) -> None:
        """Finish an enrolment that `POST /token/init` began; its answer's `detail` is what the app reads from the QR code."""
        self.serial = enrolment["serial"]
        lines = output("openssl", "pkey", "-in", str(self._key), "-pubout").decode().splitlines()
        public = "".join(lines[1:-1]).replace("+", "-").replace("/", "_")
        self._send({"fbtoken": "none", "pubkey": public, "enrollment_credential": enrolment["enrollment_credential"]})

    def open(self) -> list[str]:
        """The challenges that can be answered now, each by its nonce, the oldest first."""
        at = self._clock.now().isoformat()
        form = {"serial": self.serial, "timestamp": at, "signature": self._signed(self.serial, at)}
        return [challenge["nonce"] for challenge in self._server.ask("GET", "/ttype/push", form, client=self._address, agent=APP)["result"]["value"]]

    def tap(self, nonce: str, how: Tap) -> None:
        """Answer one challenge. RuntimeError when the server does not take the answer."""
        told: dict[str, object] = {"nonce": nonce}
        words = [nonce, self.serial]
        if how != "accept":
            told["decline"] = "1"
            words.append("decline")
        if how in ("unknown_trigger", "cancelled"):
            told["decline_reason"] = how
            words.append(how)
        self._send({**told, "signature": self._signed(*words)})

    def _send(self, form: Mapping[str, object]) -> None:
        answer = self._server.ask("POST", "/ttype/push", {"serial": self.serial, **form}, client=self._address, agent=APP)
        if not answer["result"].get("value"):
            raise RuntimeError(f"the server did not take what the phone {self.serial} sent: {answer['result']}")

    def _signed(self, *words: str) -> str:
        signature = output("openssl", "dgst", "-sha256", "-sign", str(self._key), told="|".join(words).encode())
        return b32encode(signature).decode()
