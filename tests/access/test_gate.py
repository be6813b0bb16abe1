"""The gate: forged requests, other names, proxies, headers, and machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.access.house import PASSWORD, House, house
from unbidden.access.headers import ALWAYS
from unbidden.access.names import Names, host_of
from unbidden.access.settings import ConsoleSettings

OWN = "http://localhost:8080"


def test_a_form_without_its_token_is_refused(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/account")
    other = open_house.browser()
    other.sign_in()
    other.get("/account")
    for token in ("", "x", other.csrf, browser.client.cookies["unbidden"]):
        assert browser.client.post("/sign-out", data={"csrf": token}).status_code == 403
        assert browser.client.post("/v1/triage", json={}, headers={"X-CSRF-Token": token}).status_code == 403
    assert browser.client.post("/sign-out").status_code == 403
    assert browser.client.post("/sign-out", content=f"csrf={browser.csrf}", headers={"Content-Type": "text/plain"}).status_code == 403
    assert browser.client.post("/sign-out", data={"csrf": [browser.csrf, "x"]}).status_code == 403
    assert browser.client.delete("/account").status_code == 403
    assert browser.get("/").status_code == 200
    assert browser.client.post("/v1/triage", json={}, headers={"X-CSRF-Token": browser.csrf}).json() == "ana"


def test_signing_in_needs_a_token_too(open_house: House) -> None:
    """Otherwise another site could sign somebody in as itself, and read what they do."""
    open_house.person()
    fields = {"name": "ana", "password": PASSWORD}
    assert open_house.browser().client.post("/sign-in", data=fields).status_code == 403
    one, other = open_house.browser(), open_house.browser()
    one.get("/sign-in")
    other.get("/sign-in")
    assert one.client.post("/sign-in", data={**fields, "csrf": other.csrf}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"Origin": OWN}, True), ({"Origin": OWN, "Sec-Fetch-Site": "same-origin"}, True), ({"Sec-Fetch-Site": "none"}, True), ({}, True),
        ({"Origin": "https://evil.example"}, False), ({"Origin": "null"}, False), ({"Origin": "https://localhost:8080"}, False),
        ({"Origin": "http://localhost:9"}, False), ({"Sec-Fetch-Site": "cross-site"}, False), ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": OWN, "Sec-Fetch-Site": "cross-site"}, False),
    ],
)  # fmt: skip
def test_a_form_of_another_site_is_refused_even_with_the_token(open_house: House, headers: dict[str, str], is_own: bool) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/account")
    answer = browser.client.post("/v1/triage", headers={"X-CSRF-Token": browser.csrf, **headers})
    assert answer.status_code == (200 if is_own else 403)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8080", "", "user@localhost", "localhost:x", "127.0.0.1.nip.io", "localhost/x"]
)
def test_another_name_is_refused(open_house: House, host: str) -> None:
    open_house.person()
    assert open_house.browser(Host=host).get("/sign-in").status_code == 421
    assert open_house.browser().get("/sign-in").status_code == 200


@pytest.mark.parametrize(("host", "name"), [("LOCALHOST:8080", "localhost"), ("[::1]:8080", "::1"), ("a:99999", ""), ("a?b", ""), ("a#b", ""), ("[", "")])
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert host_of(host) == name


def test_a_proxy_is_believed_and_nobody_else(public_house: House) -> None:
    names = public_house.porter.names
    assert names.caller("192.0.2.1", {"x-forwarded-for": "198.51.100.9, 203.0.113.5"}) == "203.0.113.5"
    assert names.caller("192.0.2.1", {"x-forwarded-for": "203.0.113.5, 192.0.2.1"}) == "203.0.113.5"
    assert names.caller("192.0.2.1", {}) == "192.0.2.1"
    assert names.caller("198.51.100.4", {"x-forwarded-for": "203.0.113.5"}) == "198.51.100.4"
    assert Names(ConsoleSettings()).caller("127.0.0.1", {"x-forwarded-for": "203.0.113.5"}) == "127.0.0.1"


def test_without_tls_nobody_speaks_past_the_proxy(public_house: House) -> None:
    assert public_house.browser("198.51.100.4").get("/sign-in").status_code == 403
    assert public_house.browser("192.0.2.1").get("/sign-in").status_code == 200
    assert public_house.browser("127.0.0.1").get("/sign-in").status_code == 200
    assert public_house.browser("192.0.2.1", Host="localhost").get("/sign-in").status_code == 421


def test_behind_a_proxy_that_does_tls_no_address_is_without_it(public_house: House) -> None:
    public_house.base = "http://soc.example.com"
    answer = public_house.browser("192.0.2.1").get("/sign-in/")
    assert (answer.status_code, answer.headers["location"]) == (307, "https://soc.example.com/sign-in")


def test_every_answer_carries_the_headers(open_house: House, public_house: House) -> None:
    answers = [
        open_house.browser().get("/sign-in"), open_house.browser().get("/"), open_house.browser(Host="evil.example").get("/"),
        open_house.browser().get("/none"), open_house.browser().client.post("/sign-in"),
    ]  # fmt: skip
    assert [name for answer in answers for name, value in ALWAYS.items() if answer.headers.get(name) != value] == []
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert [answer for answer in answers if "strict-transport-security" in answer.headers] == []
    assert public_house.browser("192.0.2.1").get("/sign-in").headers["strict-transport-security"] == "max-age=31536000"
    script = open_house.browser().get("/static/access/passkeys.js")
    assert (script.status_code, script.headers["content-type"], "cache-control" in script.headers) == (200, "text/javascript; charset=utf-8", False)


def test_no_page_of_ours_needs_what_the_policy_forbids(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    shown = [browser.get("/sign-in").text, browser.get("/set-up?code=%22%3E%3Cscript%3E").text]
    browser.sign_in()
    shown += [browser.get(path).text for path in ("/account", "/settings/people", "/settings/tokens")]
    assert [page for page in shown for part in ("<script>", "<style", " style=", " onclick=", "javascript:") if part in page] == []


def test_nobody_can_make_the_server_hold_much(open_house: House) -> None:
    browser = open_house.browser()
    browser.get("/sign-in")
    large, token = b"{" * 70_000, {"X-CSRF-Token": browser.csrf}
    assert browser.client.post("/sign-in/passkey/finish", content=large, headers=token).status_code == 413
    answer = browser.client.post("/v1/triage", content=large, headers=token)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    answer = browser.client.post("/sign-out", content=large, headers=token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")


def test_a_large_form_and_one_of_many_fields_are_refused(open_house: House) -> None:
    browser = open_house.browser()
    browser.get("/sign-in")
    assert browser.client.post("/sign-in", data={"name": "x" * 70_000}).status_code == 413
    assert browser.client.post("/sign-in", content="a=1&" * 300, headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 400


def test_a_machine_has_a_token_and_needs_no_other(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/settings/tokens")
    page = browser.post("/settings/tokens", name="SOAR", scope=["read", "triage"], days="30")
    secret = page.text.partition("data-token>")[2].partition("<")[0]
    assert secret.startswith("unb_")
    assert secret not in browser.get("/settings/tokens").text

    def asked(token: str, path: str = "/v1/triage") -> int:
        return open_house.browser(Authorization=f"Bearer {token}").client.post(path).status_code

    assert asked(secret) == 200
    assert asked(secret + "x") == 401
    assert open_house.browser(Authorization=f"Bearer {secret}").get("/settings/people").status_code == 403
    (made,) = open_house.porter.desk.visits.tokens()
    assert (made.name, sorted(made.scopes), made.used_at, made.made_by) == ("soar", ["read", "triage"], open_house.hand(), "ana")
    open_house.hand.pass_by(days=30, seconds=-1)
    assert asked(secret) == 200
    open_house.hand.pass_by(seconds=1)
    assert asked(secret) == 401
    assert secret not in str(open_house.porter.desk.deeds())


def test_a_token_is_revoked_and_its_scopes_are_all_it_may(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/settings/tokens")
    secret = browser.post("/settings/tokens", name="reader", scope=["read"], days="1").text.partition("data-token>")[2].partition("<")[0]
    machine = open_house.browser(Authorization=f"Bearer {secret}")
    assert machine.client.post("/v1/triage").status_code == 403
    wrongs: list[dict[str, object]] = [
        {"scope": []},
        {"scope": ["all"]},
        {"days": "0"},
        {"days": "x"},
        {"days": "99999999999"},
        {"name": "reader"},
        {"name": "a b"},
    ]
    for wrong in wrongs:
        assert browser.post("/settings/tokens", **{"name": "other", "scope": ["read"], "days": "1", **wrong}).status_code == 400
    (made,) = open_house.porter.desk.visits.tokens()
    browser.post(f"/settings/tokens/{made.id}/revoke")
    assert machine.client.post("/v1/triage").status_code == 401


def test_the_desk_is_away(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/account")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(open_house.porter.sessions), "of", _away)
        answer = browser.get("/")
    assert (answer.status_code, "desk" in answer.text) == (503, True)


def _away(*_: object, **__: object) -> None:
    from unbidden.desk import DeskError  # noqa: PLC0415 - it is only this test's

    raise DeskError("the desk (sqlite:///x): away")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"address": "0.0.0.0"}, "other machines"), ({"address": "192.0.2.5"}, "other machines"), ({"address": "::"}, "other machines"),  # noqa: S104 - nothing listens
        ({"address": "192.0.2.5", "trusted_proxies": ["192.0.2.1"]}, "public_url"), ({"certificate": "c.pem"}, "its key"),
        ({"public_url": "http://soc.example.com"}, "https"), ({"public_url": "https://soc.example.com/x"}, "nothing behind"),
        ({"trusted_proxies": ["proxy"]}, "does not appear"), ({"address": "0.0.0.0", "certificate": "c", "key": "k"}, "public_url"),  # noqa: S104 - nothing listens
        ({"certificate": "c", "key": "k", "public_url": "http://localhost"}, "https"), ({"oidc": {"issuer": "http://x.example", "client_id": "a"}}, "https"),
        ({"oidc": {"issuer": "https://x.example", "client_id": "a", "client_secret": "hunter2"}}, "never written"), ({"session_idle_s": 1}, "greater"),
        ({"oidc": {"issuer": "https://x.example", "client_id": "a", "roles": {"g": "root"}}}, "viewer"),
        ({"address": "0.0.0.0", "trusted_proxies": ["192.0.2.1"], "public_url": "http://localhost"}, "https"),  # noqa: S104 - nothing listens
    ],
)  # fmt: skip
def test_settings_that_would_not_be_safe(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        ConsoleSettings.model_validate(settings)
    assert "hunter2" not in str(caught.value)


def test_what_it_is_called_by_browsers(tmp_path: Path) -> None:
    assert ConsoleSettings().url_at(8081) == "http://localhost:8081"
    assert ConsoleSettings(public_url="https://SOC.example.com:443/").url_at(1) == "https://soc.example.com"
    assert ConsoleSettings(address="192.0.2.5", certificate=tmp_path, key=tmp_path).url_at(443) == "https://192.0.2.5:443"
    with house(tmp_path, address="2001:db8::5", certificate="c", key="k") as found:
        found.base = "https://[2001:db8::5]:8443"
        assert found.porter.names.is_own("[2001:db8::5]:8443")
        assert not found.porter.names.is_own("localhost")
