"""Prompts: logs that tell of one challenge make one prompt of it, and never one of two."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from unbidden import engine, line
from unbidden.providers import registry
from unbidden.result import document

Row: TypeAlias = dict[str, Any]

START = datetime(2026, 3, 2, 21)
NOW = datetime(2026, 3, 3, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[2] / "shared/samples/privacyidea"
STRANGER, HOME, PHONE = "203.0.113.77", "198.51.100.10", "198.51.100.20"
# What the fuller log cannot say (the number, from the other's words), and what a prompt is made of.
NOT_COMPARED = {"events", "has_number"}


class Server:
    """The authentication log and the audit log of one privacyIDEA server: both are told what happens, each in its own words.

    Source of the rows: the project's notes on a recorded 3.14 server; people and addresses are made up.
    """

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.log: list[Row] = []
        self.audit: list[Row] = []
        self._ahead = ahead

    def logged(self, at: float, event_type: str, number: int | None, **changes: Any) -> None:
        """A row of the authentication log: of challenge `number`, if it names one."""
        phone = {"endpoint": "/ttype/push", "source_ip": PHONE} if changes.pop("by_phone", False) else {}
        self.log.append({
            "id": len(self.log), "timestamp": f"{START + timedelta(seconds=at):%Y-%m-%dT%H:%M:%S.%f}+00:00", "event_type": event_type, "username": "alice",
            "uid": "1001", "resolver": "files", "realm": "corp", "endpoint": "/validate/check", "source_ip": STRANGER, "serial": "PIPU0001", "reasons": [],
            "transaction_id": None if number is None else f"{number:020d}", "attempt_id": f"attempt-{number}", **phone, **changes,
        })  # fmt: skip

    def audited(self, at: float, action: str, authentication: str = "", took: float = 0.02, **changes: Any) -> None:
        """A row of the audit log, written when a request of `took` seconds was done."""
        done = START + self._ahead + timedelta(seconds=at)
        who = {"user": "", "realm": "", "client": PHONE} if "/ttype/" in action else {"user": "alice", "realm": "corp", "client": STRANGER}
        self.audit.append({
            "number": len(self.audit), "date": f"{done:%Y-%m-%dT%H:%M:%S.%f}", "startdate": f"{done - timedelta(seconds=took):%Y-%m-%dT%H:%M:%S.%f}",
            "action": action, "authentication": authentication, "success": 0, "serial": "PIPU0001", "token_type": "push", "action_detail": "", "info": "",
            "privacyidea_server": "mfa.example.com", **who, **changes,
        })  # fmt: skip

    def sent(self, at: float, number: int, ip: str = STRANGER) -> None:
        """A push goes out."""
        self.logged(at, "CHALLENGE_TRIGGERED", number, source_ip=ip)
        self.audited(at + 0.004, "POST /validate/check", "CHALLENGE", 0.5, client=ip, info="Please confirm! Please press: 35")

    def answered(self, at: float, number: int, word: str = "accept") -> None:
        """The phone's rows, and of an approval the sign-in's, of a refusal those of the client that asks how it went."""
        event_type, ends, status = {
            "accept": ("CHALLENGE_ANSWERED_OUT_OF_BAND", "LOGIN_SUCCESS", "accept"),
            "declined": ("CHALLENGE_DECLINED", "CHALLENGE_DECLINED", "declined"),
            "not me": ("CHALLENGE_DECLINED_UNKNOWN_TRIGGER", "CHALLENGE_DECLINED", "declined, reason: unknown_trigger"),
            "cancelled": ("CHALLENGE_CANCELLED", "CHALLENGE_CANCELLED", "cancelled, reason: cancelled"),
        }[word]
        detail = f"transaction_id: {number:020d}, status: "
        self.logged(at, event_type, number, by_phone=True)
        self.audited(at + 0.004, "POST /ttype/<ttype>", success=1, action_detail=detail + status)
        self.logged(at + 0.1, ends, number)
        if word == "accept":
            self.audited(at + 0.105, "POST /validate/check", "ACCEPT", success=1, token_type="", info="Found matching challenge")
        else:
            self.audited(
                at + 0.105, "POST /validate/check", "REJECT", action_detail=detail + status.split(",")[0], info="Response did not match the challenge."
            )

    def asked_again(self, at: float, number: int) -> None:
        """The client asks how it went when the time is over."""
        self.logged(at, "CHALLENGE_ANSWERED_FAIL", number, reasons=["CHALLENGE_EXPIRED"])
        self.audited(at + 0.005, "POST /validate/check", "REJECT", info="Response did not match the challenge.")


def evening(ahead: timedelta = timedelta()) -> Server:
    """Every fate that a push can have."""
    server = Server(ahead)
    for number, word in enumerate(("declined", "not me", "cancelled", "accept"), 1):
        server.sent(40.0 * number, number)
        server.answered(40.0 * number + 8, number, word)
    server.sent(400, 10)  # ignored, and the client walks away
    server.sent(410.998, 11)  # ignored, and the client asks again
    server.asked_again(420, 11)
    server.sent(430, 12)  # without the number, with a wrong one, then with the right one
    for at in (432, 433):
        server.logged(at, "CHALLENGE_ANSWERED_FAIL", 12, by_phone=True)
        server.audited(at + 0.003, "POST /ttype/<ttype>", success=1)
    server.answered(436, 12)
    server.logged(500.45, "CHALLENGE_TRIGGERED", 13)  # a client that waits, in vain: one request from beginning to end
    server.audited(530, "POST /validate/check", "REJECT", 30, info="wrong otp value")
    server.logged(600.45, "CHALLENGE_TRIGGERED", 14)  # and one that is refused
    server.logged(610, "CHALLENGE_DECLINED_UNKNOWN_TRIGGER", 14, by_phone=True)
    server.audited(610.004, "POST /ttype/<ttype>", success=1, action_detail=f"transaction_id: {14:020d}, status: declined, reason: unknown_trigger")
    server.logged(610.5, "CHALLENGE_DECLINED", 14)
    server.audited(610.504, "POST /validate/check", "DECLINED", 10.504)
    server.logged(640.45, "CHALLENGE_TRIGGERED", 15)  # and one that is accepted
    server.logged(650, "CHALLENGE_ANSWERED_OUT_OF_BAND", 15, by_phone=True)
    server.audited(650.004, "POST /ttype/<ttype>", success=1, action_detail=f"transaction_id: {15:020d}, status: accept")
    server.logged(650.5, "LOGIN_SUCCESS", 15)
    server.audited(650.504, "POST /validate/check", "ACCEPT", 10.504, success=1, info="matching 1 tokens")
    for number in range(20, 27):  # seven open at once, the last ones refused in another order
        server.sent(700 + 0.4 * number, number)
    for at, number in enumerate((26, 24, 25)):
        server.answered(720 + at, number, "declined")
    server.sent(800, 30)  # a stranger's and her own in one moment
    server.sent(800.2, 31, ip=HOME)
    server.answered(805, 31)
    server.sent(900, 40)  # ignored, and the client asks again when the time is long over
    server.asked_again(1090, 40)
    return server


def told(folder: Path, *logs: list[Row]) -> list[dict[str, Any]]:
    """The prompts that files with these rows make."""
    files = [folder / f"{number}.jsonl" for number, _ in enumerate(logs)]
    for file, rows in zip(files, logs, strict=True):
        file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return of([str(file) for file in files], NOW)


def of(paths: list[str], as_of: datetime) -> list[dict[str, Any]]:
    return engine.records(line.run(paths, line.Options(as_of=as_of)).con, "SELECT * FROM prompt ORDER BY sent_at, prompt_id")


def facts(prompts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in prompt.items() if name not in NOT_COMPARED} for prompt in prompts]


@pytest.mark.parametrize("hours", [0, -3.5])
def test_both_logs_of_a_server_tell_each_prompt_once(tmp_path: Path, hours: float) -> None:
    server = evening(timedelta(hours=hours))
    alone = told(tmp_path, server.log)
    assert [prompt["fate"] for prompt in alone[:4]] == ["denied", "reported", "cancelled", "approved"]
    assert [prompt["fate"] for prompt in alone[4:9]] == ["unanswered", "unanswered", "approved", "unanswered", "reported"]
    assert len(alone) == 20
    both = told(tmp_path, server.log, server.audit)
    assert facts(both) == facts(alone)
    assert {prompt["has_number"] for prompt in both if prompt["sent_at"] < START + timedelta(seconds=500)} == {True}, "only the audit log says so"


@pytest.mark.parametrize("seed", range(2))
def test_order_and_files_do_not_matter(tmp_path: Path, seed: int) -> None:
    server, rng = evening(), random.Random(seed)
    once = told(tmp_path, server.log, server.audit)
    mixed = [*server.log, *server.audit, *rng.sample(server.audit, 20)]
    rng.shuffle(mixed)
    assert told(tmp_path, mixed[: 30 + seed], mixed[30 + seed :]) == once


def test_what_only_one_log_holds_stays(tmp_path: Path) -> None:
    server = Server()
    for number in range(6):
        server.sent(100.0 * number, number)
        server.answered(100.0 * number + 5, number, "declined")
    log = [row for row in server.log if row["transaction_id"] > f"{2:020d}"]
    prompts = told(tmp_path, log, server.audit)
    assert [prompt["fate"] for prompt in prompts] == ["denied"] * 6
    assert [prompt["sends"] for prompt in prompts] == [1] * 6


def test_the_fate_is_that_of_the_log_that_knows_it(tmp_path: Path) -> None:
    server = Server()
    server.sent(0, 1)
    server.answered(8, 1, "not me")
    (prompt,) = told(tmp_path, server.log[:1], server.audit)
    assert (prompt["fate"], prompt["certainty"], prompt["fate_at"]) == ("reported", "explicit", START + timedelta(seconds=8.004))
    assert (prompt["ip"], prompt["answer_ip"], prompt["answer_device"]) == (STRANGER, PHONE, "PIPU0001")
    assert len(prompt["events"]) == len(set(prompt["events"]))


def test_the_send_is_that_of_the_log_that_has_it(tmp_path: Path) -> None:
    server = Server()
    server.sent(0, 1)
    server.answered(8, 1, "declined")
    (prompt,) = told(tmp_path, server.log[1:], server.audit)
    assert (prompt["fate"], prompt["is_implied"], prompt["sent_at"]) == ("denied", False, START + timedelta(seconds=0.004))
    assert (prompt["ip"], prompt["answer_ip"]) == (STRANGER, PHONE)


def test_a_request_that_waited_is_one_prompt_in_the_audit_log_alone(tmp_path: Path) -> None:
    prompts = [prompt for prompt in told(tmp_path, evening().audit) if 490 < (prompt["sent_at"] - START).total_seconds() < 700]
    assert [prompt["fate"] for prompt in prompts] == ["failed", "reported", "approved"]
    assert {prompt["ip"] for prompt in prompts} == {STRANGER}
    assert [prompt["answer_ip"] for prompt in prompts] == [None, PHONE, PHONE]


def test_a_client_that_asks_when_the_time_is_over_makes_no_prompt(tmp_path: Path) -> None:
    server = Server()
    server.sent(0, 1)
    server.asked_again(190, 1)
    assert [prompt["fate"] for prompt in told(tmp_path, server.audit)] == ["failed"]


def test_prompts_close_together_stay_apart_in_the_audit_log_alone(tmp_path: Path) -> None:
    server = evening()
    prompts = told(tmp_path, server.audit)
    alone = told(tmp_path, server.log)
    assert sum(not prompt["is_implied"] for prompt in prompts) == len(alone) - 3, "three were asked by clients that wait, which leave no row of a send"


def attempt(at: int, txid: str, **changes: Any) -> Row:
    """A row of Duo's authentication log: a message was asked for, unless the changes say otherwise."""
    return {
        "txid": txid, "timestamp": int(START.replace(tzinfo=UTC).timestamp()) + at, "event_type": "authentication", "result": "success", "reason": None,
        "factor": "sms_refresh", "user": {"key": "DU1", "name": "dana"}, "access_device": {"ip": STRANGER}, "auth_device": {"key": "DP1"}, **changes,
    }  # fmt: skip


def telephoned(at: int, txid: str, kind: str = "sms") -> Row:
    """A row of Duo's telephony log."""
    ts = f"{START + timedelta(seconds=at):%Y-%m-%dT%H:%M:%S}.500000+00:00"
    return {"context": "authentication", "credits": 1, "phone": "+15550100100", "telephony_id": f"t-{at}", "ts": ts, "txid": txid, "type": kind}


CODE = {"factor": "sms_passcode", "reason": "valid_passcode"}


@pytest.mark.parametrize("code_txid", ["asked", "typed"])
def test_a_message_that_was_asked_for_and_its_code_are_one_prompt(tmp_path: Path, code_txid: str) -> None:
    rows = [telephoned(0, "asked"), attempt(1, "asked"), attempt(30, code_txid, **CODE)]
    (prompt,) = told(tmp_path, rows)
    assert (prompt["fate"], prompt["is_implied"], prompt["ip"]) == ("approved", False, STRANGER)
    (prompt,) = told(tmp_path, rows[1:])
    assert (prompt["fate"], prompt["is_implied"], prompt["ip"]) == ("approved", False, STRANGER)


def test_messages_without_a_code_are_unanswered_and_known_by_their_requester(tmp_path: Path) -> None:
    rows = [row for number in range(3) for row in (telephoned(60 * number, f"tx-{number}"), attempt(60 * number + 1, f"tx-{number}"))]
    prompts = told(tmp_path, rows)
    assert [(prompt["fate"], prompt["factor"], prompt["ip"]) for prompt in prompts] == [("unanswered", "sms", STRANGER)] * 3


def test_a_call_and_its_end_are_one_prompt(tmp_path: Path) -> None:
    ended = attempt(30, "tx-call", factor="phone_call", result="denied", reason="no_keys_pressed")
    (prompt,) = told(tmp_path, [telephoned(2, "tx-call", "phone"), ended])
    assert (prompt["fate"], prompt["certainty"], prompt["is_implied"], prompt["ip"]) == ("unanswered", "explicit", False, STRANGER)
    assert prompt["sent_at"] == START + timedelta(seconds=2.5)


def entra_and_m365(tmp_path: Path, factor: str, outcome: str) -> list[dict[str, Any]]:
    """The prompts of one sign-in that both of Microsoft's logs tell: the directory with the factor, the audit log without."""
    told_by = {"entra": {"factor": factor, "outcome": outcome}, "m365": {"factor": "unknown", "outcome": "approved" if outcome == "approved" else "failed"}}
    for number, (name, words) in enumerate(told_by.items()):
        event = {
            "event_id": f"row-{number}", "request_id": "row-0", "flow_id": "flow-1", "occurred_at": START, "kind": "answer", "login": "dana@example.com",
            "user_id": "u1", "ip": STRANGER, "app": "Mail", **words,
        }  # fmt: skip
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, registry()[name].render(event))), "utf-8")
    return of([str(tmp_path)], NOW)


@pytest.mark.parametrize("outcome", ["approved", "wrong_code"])
def test_a_code_that_one_of_two_logs_knows_of_is_no_prompt(outcome: str, tmp_path: Path) -> None:
    assert entra_and_m365(tmp_path, "totp", outcome) == []


@pytest.mark.parametrize("outcome", ["approved", "denied", "unanswered"])
def test_a_push_that_two_logs_tell_is_one_prompt_with_the_words_of_the_better(outcome: str, tmp_path: Path) -> None:
    [prompt] = entra_and_m365(tmp_path, "push", outcome)
    assert (prompt["provider"], prompt["factor"], prompt["fate"]) == ("entra", "push", outcome)


def test_who_was_let_in_without_being_asked_has_no_prompt(tmp_path: Path) -> None:
    rows = [attempt(number, f"tx-{number}", factor="not_available", reason=reason) for number, reason in enumerate(("remembered_device", "bypass_user"))]
    assert told(tmp_path, rows) == []


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the recordings in {SAMPLES} are not here")
@pytest.mark.parametrize("audit", ["audit.json", "audit.csv"])
def test_the_recorded_server_is_told_once(audit: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    alone = of([str(SAMPLES / "authlog.json")], now)
    assert facts(of([str(SAMPLES / "authlog.json"), str(SAMPLES / audit)], now)) == facts(alone)
    assert len(alone) == 11


def test_a_bombing_in_a_log_that_names_no_place_is_told_with_its_prompts(tmp_path: Path) -> None:
    server = Server()
    for number in range(6):
        server.sent(60.0 * number, number)
        server.answered(60.0 * number + 8, number, "declined" if number < 5 else "accept")
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, server.log)), "utf-8")
    [incident] = document(line.run([str(tmp_path)], line.Options(as_of=NOW)))["incidents"]
    assert (incident["user"], incident["stage"], incident["severity"]) == ("alice", "approved", "high")
    assert (incident["prompts"]["sent"], incident["prompts"]["denied"]) == (6, 5)
    assert [row["ip"] for row in incident["requesters"]] == [STRANGER]


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the recordings in {SAMPLES} are not here")
def test_the_recorded_bombing_is_found() -> None:
    [incident] = [one for one in document(line.run([str(SAMPLES / "authlog.json")]))["incidents"] if one["user"] == "alice"]
    assert (incident["stage"], incident["severity"], incident["prompts"]["reported"]) == ("approved", "critical", 2)


def test_a_session_that_two_logs_tell_is_told_once(tmp_path: Path) -> None:
    """Three refused and one approved push of a stranger at Entra, then one session, which the audit log writes as well, without fractions of a second."""
    person = {"login": "dana@example.com", "user_id": "u1", "ip": STRANGER, "app": "Mail"}
    rows: dict[str, list[Row]] = {"entra": [], "m365": []}
    for number, outcome in enumerate(("denied", "denied", "denied", "approved")):
        at = START + timedelta(minutes=number)
        push = {"kind": "answer", "factor": "push", "outcome": outcome, "occurred_at": at, "flow_id": f"flow-{number}"}
        rows["entra"] += registry()["entra"].render({**person, **push, "event_id": f"push-{number}", "request_id": f"push-{number}"})
    began = START + timedelta(minutes=9, milliseconds=420)
    session = {"kind": "session", "outcome": "success", "occurred_at": began, "flow_id": "flow-9", "request_id": "row-9"}
    for name, known in rows.items():
        told_last = registry()[name].render({**person, **session, "event_id": f"{name}-9"})
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, [*known, *told_last])), "utf-8")
    [incident] = document(line.run([str(tmp_path)], line.Options(as_of=NOW)))["incidents"]
    [told] = [signal for signal in incident["signals"] if signal["detection"] == "session_after_approval"]
    assert [event for event in told["events"] if "9" in event] == ["entra:row-9"]
