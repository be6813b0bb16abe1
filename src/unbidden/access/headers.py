"""What every answer says to the browser about itself."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders

CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_FEATURES = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb")
ALWAYS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*(f"{feature}=()" for feature in _FEATURES), "publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]),
}
_YEAR_S = 31_536_000


def guard(headers: MutableHeaders, path: str, *, is_strict: bool) -> None:
    """Set what is to be said, with `is_strict` that it is https from now on. Only Cache-Control may be said otherwise by who answers."""
    for name, value in ALWAYS.items():
        headers[name] = value
    if is_strict:
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
    if not path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")
