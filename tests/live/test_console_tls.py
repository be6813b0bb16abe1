"""The console of a real server that does TLS itself, under a name of its own, in a browser that trusts its certificate."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.live.servers import Server

CHROMIUM = shutil.which("chromium")
NAME = "soc.unbidden.test"
DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
_WORDS = "a long one for a test of the console"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> str:
    """Write a certificate and its key; gives the digest of its public key, by which a browser may be told to trust it."""
    issued = trustme.CA().issue_cert(NAME)
    (folder / "cert.pem").write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    (folder / "key.pem").touch(0o600)
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    public = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).public_key()
    return base64.b64encode(hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()).decode()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A page of a browser that reaches the server by its name."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    digest = certificate(folder)
    console = f'port = {port}\ncertificate = "{folder}/cert.pem"\nkey = "{folder}/key.pem"\npublic_url = "https://{NAME}:{port}"'
    server = Server(folder, console=console)
    trusting = [f"--ignore-certificate-errors-spki-list={digest}", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    try:
        server.start()
        assert any(re.search(rf"console at port {port}", line) for line in server.said), server.said
        command = [sys.executable, "-m", "unbidden", "users", "add", "ana", "admin", "--config", str(folder / "unbidden.toml")]
        subprocess.run(command, input=f"{_WORDS}\n", text=True, check=True, capture_output=True, timeout=60)
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking", *trusting])
            one = browser.new_context(base_url=f"https://{NAME}:{port}").new_page()
            one.set_default_timeout(20_000)
            yield one
            browser.close()
    finally:
        server.end()


def sign_in(page: Any) -> None:
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(_WORDS)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_cookies_headers_and_the_way_to_the_sign_in_page(page: Any) -> None:
    page.context.clear_cookies()
    answer = page.goto("/incidents")
    assert page.url.endswith("/sign-in?next=/incidents")
    assert page.url.startswith(f"https://{NAME}:")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    sign_in(page)
    page.wait_for_selector("u-live[data-state=on]")
    assert page.url.endswith("/incidents")
    [kept] = page.context.cookies()
    assert (kept["name"], kept["secure"], kept["httpOnly"], kept["sameSite"], kept["path"]) == ("__Host-unbidden", True, True, "Lax", "/")
    assert kept["domain"] == NAME
    page.goto("/incidents/")
    assert page.url.startswith(f"https://{NAME}:")


def test_passkey_holds_for_the_name(page: Any) -> None:
    page.context.clear_cookies()
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, "automaticPresenceSimulation": True}})
    page.goto("/account")
    sign_in(page)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Remove the passkey").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_selector("#now")
    assert {(one["name"], one["secure"], one["httpOnly"]) for one in page.context.cookies()} == {("__Host-unbidden", True, True), ("unbidden_seen", True, True)}


def test_nobody_is_answered_without_tls_or_under_another_name(page: Any) -> None:
    port = int(page.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        with suppress(OSError):
            got = plain.recv(1000)
    assert b"HTTP/1.1 200" not in got
    assert b"set-cookie" not in got.lower()
    answer = page.request.get(f"https://127.0.0.1:{port}/sign-in", ignore_https_errors=True)
    assert answer.status in (200, 421)
    assert "strict-transport-security" not in answer.headers
