"""Each kind of target against a real receiver: what arrives, how it is signed and escaped, and what a failure says."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.receivers import certificates, hook, letter_of, means, oldest, post, stream_sink
from tests.desk.fixtures import AT, Incident
from unbidden.alerts.apprise import tame
from unbidden.alerts.letter import DeliveryError, Letter
from unbidden.alerts.message import message_of
from unbidden.alerts.sending import send
from unbidden.alerts.settings import AppriseTarget, EmailTarget, SlackTarget, SyslogTarget, TeamsTarget, WebhookTarget
from unbidden.alerts.syslog import cef
from unbidden.desk import Desk, TargetRule
from unbidden.wire import Wire

EVIL = "x|y=z\\ <!channel> *bold* <b>&amp;</b> [a](http://evil.example) \u202egpj.exe\u202c\r\nBcc: all@example.com \x1b[31m p\u0430ypal"


@pytest.fixture
def wire() -> Iterator[Wire]:
    opened = Wire(attempts=1, timeout_s=3.0)
    yield opened
    opened.close()


@pytest.fixture
def letter(file_desk: Desk, found: list[Incident]) -> Letter:
    """The alert of a real incident, the worst."""
    worst = next(one for one in found if one["stage"] == "persisted")
    file_desk.record([], [worst], AT, [TargetRule("soc")])
    return letter_of(oldest(file_desk))


@pytest.fixture
def evil(letter: Letter) -> Letter:
    """The same with a name that means harm."""
    incident = {**letter.payload["incident"], "user": EVIL, "story": [EVIL], "department": EVIL}
    payload = {**letter.payload, "incident": incident}
    return replace(letter, payload=payload, message=message_of("alert", payload, letter.id))


def test_a_webhook_is_signed_and_holds_the_incident(wire: Wire, letter: Letter) -> None:
    with hook() as served:
        target = WebhookTarget(kind="webhook", url=f"{served.url}/in", secret="env:KEY", token="env:BEARER")  # noqa: S106 -- it is a reference
        assert send(target, letter, means(wire, KEY="geheim", BEARER="t0k")) is None
    [request] = served.requests
    at, signature = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["unbidden-signature"]).groups()  # type: ignore[union-attr]
    assert hmac.compare_digest(signature, hmac.new(b"geheim", at.encode() + b"." + request.body, hashlib.sha256).hexdigest())
    assert request.headers["unbidden-id"] == letter.id == request.json["id"]
    assert request.headers["authorization"] == "Bearer t0k"
    assert request.json["incident"] == letter.payload["incident"]
    assert request.json["change"]["what"] == "opened"


def test_the_snippet_of_the_page_checks_the_signature(wire: Wire, letter: Letter, repository: Path) -> None:
    [snippet] = re.findall(r"```python\n(.*?)```", (repository / "docs" / "alerts.md").read_text("utf-8"), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(snippet, scope)  # noqa: S102 -- the page's own code is what is tested
    with hook() as served:
        send(WebhookTarget(kind="webhook", url=served.url, secret="env:KEY"), letter, means(wire, KEY="geheim"))  # noqa: S106 -- it is a reference
    [request] = served.requests
    header, at = request.headers["unbidden-signature"], AT.timestamp()
    assert scope["is_genuine"](b"geheim", header, request.body, at)
    assert not scope["is_genuine"](b"other", header, request.body, at)
    assert not scope["is_genuine"](b"geheim", header, request.body + b" ", at)
    assert not scope["is_genuine"](b"geheim", header, request.body, at + 3600)
    assert not scope["is_genuine"](b"geheim", "nonsense", request.body, at)


def test_a_bot_of_slack_grows_a_thread(wire: Wire, letter: Letter) -> None:
    with hook(body=b'{"ok": true, "ts": "1700.42"}') as served:
        target = SlackTarget(kind="slack", bot_token="env:BOT", channel="C1", api=served.url)  # noqa: S106 -- it is a reference
        assert send(target, letter, means(wire, BOT="xoxb")) == "1700.42"
        send(target, replace(letter, thread="1700.42"), means(wire, BOT="xoxb"))
        send(target, replace(letter, thread="1700.42", kind="note"), means(wire, BOT="xoxb"))
    first, second, note = (request.json for request in served.requests)
    assert served.requests[0].path == "/chat.postMessage"
    assert served.requests[0].headers["authorization"] == "Bearer xoxb"
    assert "thread_ts" not in first
    assert (second["thread_ts"], second["reply_broadcast"]) == ("1700.42", True)
    assert (note["thread_ts"], "reply_broadcast" in note) == ("1700.42", False)
    assert first["blocks"][0]["text"]["text"].startswith("CRITICAL: ")


def test_slack_may_refuse_with_200(wire: Wire, letter: Letter) -> None:
    for body, why in ((b'{"ok": false, "error": "not_in_channel"}', "not_in_channel"), (b"<html>", "cannot be read"), (b"[]", "cannot be read")):
        with hook(body=body) as served, pytest.raises(DeliveryError, match=why):
            send(SlackTarget(kind="slack", bot_token="env:BOT", channel="C1", api=served.url), letter, means(wire, BOT="x"))  # noqa: S106 -- it is a reference


def test_log_content_means_nothing_to_slack(wire: Wire, evil: Letter) -> None:
    with hook() as served:
        send(SlackTarget(kind="slack", webhook="env:HOOK"), evil, means(wire, HOOK=served.url + "/services/T0/B0/secret"))
    said = served.requests[0].json
    texts = [said["text"], *(block["text"]["text"] for block in said["blocks"] if block["type"] == "section")]
    assert all("<" not in text and ">" not in text for text in texts)
    assert "&lt;!channel&gt;" in texts[1]
    assert "*bold*" not in "".join(texts)
    assert "p[U+0430]ypal" in texts[1]
    assert all("[U+202E]" in text and "\u202e" not in text for text in texts[1:2])
    assert all(len(block["text"]["text"]) <= 3000 for block in said["blocks"] if "text" in block)


@pytest.mark.parametrize("answer", [404, 500, "cut"])
def test_an_error_does_not_repeat_a_secret_url(wire: Wire, letter: Letter, answer: Any) -> None:
    with hook([answer], body=b"no /services/T0/B0/secret here") as served, pytest.raises(DeliveryError) as caught:
        send(SlackTarget(kind="slack", webhook="env:HOOK"), letter, means(wire, HOOK=served.url + "/services/T0/B0/secret"))
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize("url", ["http://hooks.example.com/secret", "ftp://x/secret", "secret", "https://"])
def test_a_secret_url_that_cannot_be_used_is_not_repeated(wire: Wire, letter: Letter, url: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(TeamsTarget(kind="teams", url="env:HOOK"), letter, means(wire, HOOK=url))
    assert "secret" not in str(caught.value)


def test_a_secret_that_is_missing_says_which(wire: Wire, letter: Letter) -> None:
    with pytest.raises(DeliveryError, match="env:HOOK: the variable is not set"):
        send(TeamsTarget(kind="teams", url="env:HOOK"), letter, means(wire))


def test_teams_gets_an_adaptive_card_of_text_runs(wire: Wire, evil: Letter) -> None:
    with hook([202]) as served:
        send(TeamsTarget(kind="teams", url="env:HOOK"), evil, means(wire, HOOK=served.url))
    [attachment] = served.requests[0].json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    assert "\u202e" not in json.dumps(card, ensure_ascii=False)
    assert len(served.requests[0].body) < 28_000


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail_goes_out_in_one_thread(wire: Wire, letter: Letter, tmp_path: Path, security: Any) -> None:
    context, authority = certificates(tmp_path)
    options: dict[str, Any] = {"none": {}, "starttls": {"tls": context}, "tls": {"ssl_context": context}}[security]
    with post(**options) as served:
        target = EmailTarget(
            kind="email", host="127.0.0.1", port=served.port, security=security, sender="unbidden@example.com", to=("soc@example.com", "ir@example.com"),
            ca_file=None if security == "none" else str(authority),
        )  # fmt: skip
        first = send(target, letter, means(wire))
        send(target, replace(letter, id="f" * 32, thread=first), means(wire))
    assert served.was_secure == [security != "none"] * 2
    one, two = (email.message_from_bytes(mail, policy=email.policy.default) for mail in served.mails)
    assert one["Message-ID"] == first == f"<{letter.id}@example.com>"
    assert two["In-Reply-To"] == two["References"] == first
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["Subject"] == letter.message.subject
    plain, page = one.get_body(("plain",)), one.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().replace("\r\n", "\n").strip() == letter.message.text()
    assert "Do first" in page.get_content()


def test_mail_is_not_sent_in_the_clear_when_it_should_not_be(wire: Wire, letter: Letter, tmp_path: Path) -> None:
    _, authority = certificates(tmp_path)
    with post() as served:
        target = EmailTarget(kind="email", host="127.0.0.1", port=served.port, sender="u@example.com", to=("soc@example.com",), ca_file=str(authority))
        with pytest.raises(DeliveryError, match="STARTTLS"):
            send(target, letter, means(wire))
    assert served.mails == []


def test_log_content_makes_no_mail_header_and_no_html(wire: Wire, evil: Letter) -> None:
    with post() as served:
        target = EmailTarget(kind="email", host="127.0.0.1", port=served.port, security="none", sender="u@example.com", to=("soc@example.com",))
        send(target, evil, means(wire))
        served.refusals.append("550 no thanks")
        with pytest.raises(DeliveryError, match="550 no thanks"):
            send(target, evil, means(wire))
    mail = email.message_from_bytes(served.mails[0], policy=email.policy.default)
    page = mail.get_body(("html",))
    assert mail["Bcc"] is None
    assert page is not None
    assert "<b>&amp;" not in page.get_content()
    assert "&lt;b&gt;&amp;amp;" in page.get_content()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_syslog_by_a_stream_counts_octets(wire: Wire, evil: Letter, tmp_path: Path, transport: Any) -> None:
    context, authority = certificates(tmp_path)
    with stream_sink(context if transport == "tls" else None) as (port, got):
        target = SyslogTarget(kind="syslog", host="127.0.0.1", port=port, transport=transport, ca_file=str(authority))
        send(target, evil, means(wire))
    [data] = got
    count, _, line = data.partition(b" ")
    assert int(count) == len(line)
    assert re.match(rb"<106>1 2026-03-09T08:00:00\.000000Z \S+ unbidden - alert - CEF:0\|unbidden\|unbidden\|", line)
    assert b"\n" not in line


def test_cef_is_escaped_and_can_be_read_back(evil: Letter) -> None:
    head, body = re.fullmatch(r"((?:[^|\\]|\\.)*(?:\|(?:[^|\\]|\\.)*){6})\|(.*)", cef(evil)).groups()  # type: ignore[union-attr]
    assert re.split(r"(?<!\\)\|", head)[:3] == ["CEF:0", "unbidden", "unbidden"]
    assert re.split(r"(?<!\\)\|", head)[4:] == ["alert:opened", "MFA prompts nobody asked for", "10"]
    pairs = dict(re.findall(r"(\w+)=((?:[^=\\]|\\.)*?)(?= \w+=|$)", body))
    assert pairs["externalId"] == evil.id
    assert pairs["duser"].startswith("x|y\\=z\\\\ <!channel>")
    assert pairs["cs2"] == "persisted"
    assert pairs["cn1"] == str(evil.payload["incident"]["risk"])


def test_syslog_by_datagram_fits_one(wire: Wire, letter: Letter) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(3)
        send(SyslogTarget(kind="syslog", host="127.0.0.1", port=receiver.getsockname()[1], transport="udp"), letter, means(wire))
        data = receiver.recv(65536)
    assert data.startswith(b"<106>1 ")
    assert len(data) <= 1400
    data.decode()


def test_nobody_listens(wire: Wire, letter: Letter) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for target in (
            SyslogTarget(kind="syslog", host="127.0.0.1", port=port),
            EmailTarget(kind="email", host="127.0.0.1", port=port, sender="u@example.com", to=("soc@example.com",)),
            WebhookTarget(kind="webhook", url=f"http://127.0.0.1:{port}", secret="env:KEY"),  # noqa: S106 -- it is a reference
        ):
            with pytest.raises(DeliveryError, match="refused"):
                send(target, letter, means(wire, KEY="k"))


# One of its plug-ins imports a module that Python is about to drop.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_sends_what_it_can_and_says_when_not(wire: Wire, evil: Letter) -> None:
    with hook([200, 500]) as served:
        url = served.url.replace("http://", "json://") + "/secret"
        send(AppriseTarget(kind="apprise", url="env:URL"), evil, means(wire, URL=url))
        for bad in (url, "nonsense://secret", "secret"):
            with pytest.raises(DeliveryError) as caught:
                send(AppriseTarget(kind="apprise", url="env:URL"), evil, means(wire, URL=bad))
            assert "secret" not in str(caught.value)
    assert served.requests[0].json["title"] == tame(evil.message.subject)
    assert served.requests[0].json["type"] == "failure"
    assert "Do first:" in served.requests[0].json["message"]
