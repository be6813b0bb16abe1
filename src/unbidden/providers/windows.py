"""Windows Security log: logons, passwords checked by domain controllers, lockouts and password changes, from the usual shippers.

Source: Microsoft's documentation of the security auditing events 4624, 4625, 4647, 4723, 4724, 4740, 4767, 4768, 4771 and 4776, of the
well-known SIDs and of Azure Monitor's SecurityEvent table. How shippers spell them comes from their documentation and from memory:
what is unverified says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import LiteralString, cast

from unbidden.engine import Structure
from unbidden.providers import Patience, Record, Shape, Sight
from unbidden.rendering.windows import REPERTOIRE, carries, render

__all__ = ("PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render")

TITLE = "Windows Security log"


def _texts(names: str) -> dict[str, str]:
    """Each of the names as a text column."""
    return dict.fromkeys(names.split(), "VARCHAR")


# The fields of all events that are read, as Windows names them.
_FIELDS = (
    "TargetUserName TargetDomainName TargetUserSid TargetSid SubjectUserName SubjectDomainName IpAddress WorkstationName Workstation Status SubStatus"
    " FailureReason LogonType ServiceName PreAuthType TargetLogonId LogonGuid"
)
# A row of NXLog, of Sentinel's SecurityEvent or of Splunk. In Splunk's older rendering the fields have the words of the message, and
# Account_Name holds the subject and the account.
_FLAT: Structure = {
    **_texts(_FIELDS), **_texts("EventID Channel SourceName Computer RecordNumber EventOriginId Keywords Type"),
    **_texts("TimeCreated EventTime TimeGenerated _time timestamp Account TargetAccount SubjectAccount AccountNames AccountDomains"),
}  # fmt: skip
_ALIASES = {
    "eventcode": ("EventID",), "eventsourcename": ("SourceName",), "providername": ("SourceName",), "provider": ("SourceName",), "logname": ("Channel",),
    "eventlog": ("Channel",),
    "hostname": ("Computer",), "computername": ("Computer",), "host": ("Computer",), "eventrecordid": ("RecordNumber",), "recordid": ("RecordNumber",),
    "eventtype": ("Type",), "systemtime": ("TimeCreated",), "accountname": ("AccountNames",), "accountdomain": ("AccountDomains",),
    "sourcenetworkaddress": ("IpAddress",), "clientaddress": ("IpAddress",), "sourceworkstation": ("Workstation",),
    "callercomputername": ("Workstation",), "errorcode": ("Status",), "failurecode": ("Status",), "resultcode": ("Status",), "logonid": ("TargetLogonId",),
    "preauthenticationtype": ("PreAuthType",), "logonaccount": ("TargetUserName",),
}  # fmt: skip
# A document of winlogbeat or the Elastic agent.
_BEAT: Structure = {
    "@timestamp": "VARCHAR",
    "winlog": {**_texts("event_id channel provider_name computer_name record_id keywords time_created"), "event_data": _texts(_FIELDS)},
}  # fmt: skip
# The event's XML as JSON. Converters differ in what an attribute and a named value become, so these are taken out of the text.
_XML: Structure = {"System": {**_texts("EventID Channel Provider Computer EventRecordID Keywords TimeCreated")}, "EventData": "VARCHAR"}

_SECONDS = r"regexp_extract({0}, '/Date\((\d+)\d{{3}}', 1)"
_FLAT_AT = (
    "coalesce(utc(TimeCreated), utc(EventTime), utc(TimeGenerated), utc(_time), epoch_utc(_time), utc(timestamp),"
    f" epoch_utc(nullif({_SECONDS.format('TimeCreated')}, '')))"
)
_BEAT_AT = 'coalesce(utc(winlog.time_created), utc("@timestamp"))'
_XML_AT = r"utc(coalesce(nullif(regexp_extract(System.TimeCreated, 'SystemTime\"\s*:\s*\"([^\"]+)\"', 1), ''), System.TimeCreated))"
_NUMBER = r"nullif(regexp_extract({0}, '(^|text\"\s*:\s*\"?|Value\"\s*:\s*\"?)(\d{{3,5}})', 2), '')"


def _value(name: str) -> str:
    """SQL for a named value of the event's XML, from a list of named values or from an object."""
    word = rf"""(?:Name"\s*:\s*"{name}"[^{{}}]*?"#?(?:text|Value|content)"|"{name}")\s*:\s*"?([^",}}]*)"""
    return f"""nullif(regexp_extract(EventData, '{word}', 1), '') AS {name}"""


_LOGON_FIELDS = ", ".join(f"winlog.event_data.{name}" for name in _FIELDS.split())
_FROM_FLAT = f"""SELECT source, {_FLAT_AT} AS happened, EventID AS number, Channel AS channel, SourceName AS logger, Computer AS computer,
    RecordNumber AS record, known(EventOriginId) AS origin, concat_ws(' ', Keywords, Type) AS keywords, {", ".join(_FIELDS.split())},
    coalesce(known(TargetAccount), if(EventID IN ('4624', '4625'), known(Account), NULL)) AS account, known(SubjectAccount) AS subject_account,
    -- Of several names the last is the account's, the first that of who asked.
    nullif(regexp_extract(AccountNames, '([^",\\[\\]\\n]+)["\\]\\s]*$', 1), '') AS last_name, AccountDomains AS domains
  FROM raw"""
_FROM_BEAT = f"""SELECT source, {_BEAT_AT} AS happened, winlog.event_id AS number, winlog.channel AS channel, winlog.provider_name AS logger,
    winlog.computer_name AS computer, winlog.record_id AS record, NULL AS origin, winlog.keywords AS keywords, {_LOGON_FIELDS}, NULL AS account,
    NULL AS subject_account, NULL AS last_name, NULL AS domains
  FROM raw"""
_FROM_XML = f"""SELECT source, {_XML_AT} AS happened, {_NUMBER.format("System.EventID")} AS number, System.Channel AS channel, System.Provider AS logger,
    System.Computer AS computer, System.EventRecordID AS record, NULL AS origin, System.Keywords AS keywords,
    {", ".join(map(_value, _FIELDS.split()))}, NULL AS account, NULL AS subject_account, NULL AS last_name, NULL AS domains
  FROM raw"""

# Why a logon was refused: NTSTATUS and Kerberos result codes, what they are, in words. Anything else is a refusal that nobody explains.
# A Kerberos account that is revoked is disabled, expired or locked: the log does not say which.
_WHY: tuple[tuple[str, str, str], ...] = (
    ("0xc0000064", "password", "no such user"), ("0xc000006a", "password", "wrong password"), ("0xc000006d", "password", "wrong user name or password"),
    ("0xc0000234", "lockout", "the account is locked out"), ("0xc000006e", "refused", "account restriction"),
    ("0xc000006f", "refused", "outside the hours allowed"), ("0xc0000070", "refused", "not from this workstation"),
    ("0xc0000071", "refused", "the password has expired"), ("0xc0000072", "refused", "the account is disabled"),
    ("0xc000015b", "refused", "this kind of logon is not granted"), ("0xc0000193", "refused", "the account has expired"),
    ("0xc0000224", "refused", "the password must be changed"), ("0xc0000413", "refused", "an authentication policy forbids it"),
    ("0xc0000133", "other", "the clocks differ"), ("0xc000005e", "other", "no logon server"), ("0xc00000dc", "other", "the server was in the wrong state"),
    ("0x6", "password", "no such user"), ("0x18", "password", "wrong password"), ("0x12", "revoked", "the account is disabled, expired or locked out"),
    ("0x17", "refused", "the password has expired"), ("0xc", "refused", "a policy forbids it"), ("0x25", "other", "the clocks differ"),
)  # fmt: skip

# Accounts that are nobody: the well-known SIDs of the system, services, window managers and font drivers, and their names.
_NO_SID = r"^S-1-5-(7|18|19|20|80|82|83|90|96)(-|$)"
_NO_NAME = r"(?i)^(.*\$|ANONYMOUS LOGON|SYSTEM|LOCAL SERVICE|NETWORK SERVICE|DWM-\d+|UMFD-\d+|HealthMailbox.*)$"
_NO_DOMAIN = r"(?i)^(NT AUTHORITY|NT SERVICE|Window Manager|Font Driver Host|IIS APPPOOL|NT VIRTUAL MACHINE)$"

# Somebody sits at a keyboard or at one far away: interactive, unlocked, remote desktop, and these with a cached password. A network logon (3) is a
# share that was opened, by computers all day; batch (4), service (5), clear text (8) and runas (9) are programs: they are nobody's sign-in.
_SEATED = "('2', '7', '10', '11', '12', '13')"
_UNATTENDED = "('4', '5')"


def _table(entries: Iterable[tuple[str, ...]]) -> str:
    return ", ".join("(" + ", ".join(f"'{cell}'" for cell in entry) + ")" for entry in entries)


# 4771 and 4776 name no domain; the Kerberos service does. 4740 has the computer that asked where others have the domain.
# A domain is `CORP` in one event and `corp.example.com` in another: its first label stands for both, so that one person has one name.
# A password is no MFA factor: that it was changed (4723) or reset by another (4724) is a recovery, as it is at the other providers.
# A controller gives a ticket at every logon but validates NTLM at every share that is opened: only the former proves that a password was entered.
_MEANING = rf"""
, flat AS (
  SELECT source, happened, number, lower(known(computer)) AS computer, known(record) AS record, origin,
    known(TargetUserSid) AS user_sid, known(TargetSid) AS sid,
    coalesce(lower(channel) = 'security' OR channel IS NULL, false) AND coalesce(logger IS NULL OR logger ILIKE '%security%', true) AS is_security,
    coalesce(regexp_matches(keywords, '(?i)failure|0x8010000000000000|-9218868437227405312'), false) AS is_failure,
    coalesce(known(TargetUserName), split_part(nullif(account, ''), '\', -1), known(last_name)) AS name,
    CASE WHEN number = '4740' THEN coalesce(known(SubjectDomainName), nullif(split_part(subject_account, '\', 1), ''))
      WHEN number = '4771' THEN nullif(split_part(ServiceName, '/', 2), '')
      ELSE coalesce(known(TargetDomainName), if(contains(account, '\'), nullif(split_part(account, '\', 1), ''), NULL),
        nullif(regexp_extract(domains, '([^",\[\]\n]+)["\]\s]*$', 1), '')) END AS domain_,
    coalesce(known(SubjectUserName), split_part(subject_account, '\', -1)) AS subject, known(SubjectDomainName) AS subject_domain,
    bare_ip(known(IpAddress)) AS address, ltrim(coalesce(known(WorkstationName), known(Workstation),
      if(number = '4740', coalesce(known(TargetDomainName), split_part(account, '\', 1)), NULL)), '\') AS workstation,
    lower(known(Status)) AS status, lower(nullif(known(SubStatus), '0x0')) AS substatus, known(FailureReason) AS reason,
    regexp_extract(LogonType, '\d+') AS logon_type, PreAuthType AS preauth, nullif(known(TargetLogonId), '0x0') AS logon_id
  FROM security WHERE happened IS NOT NULL AND number IS NOT NULL
), named AS (
  SELECT *, if(user_sid = 'S-1-0-0', sid, coalesce(user_sid, sid)) AS account_sid, coalesce(substatus, status) AS why,
    if(contains(name, '@'), NULL, split_part(nullif(domain_, '-'), '.', 1)) AS domain, split_part(subject_domain, '.', 1) AS actor_domain,
    -- By remote desktop the server may stand where the requester's computer should.
    coalesce(logon_type IN ('10', '12') AND lower(workstation) = split_part(computer, '.', 1), false) AS is_server,
    regexp_matches(address, '^(127\.|::1$|169\.254\.|fe80:)') AS is_here
  FROM flat
), typed AS (
  SELECT n.*, w.words, coalesce(w.what, 'unexplained') AS refusal,
    name IS NULL OR regexp_matches(name, '{_NO_NAME}') OR coalesce(regexp_matches(domain_, '{_NO_DOMAIN}'), false)
      OR coalesce(regexp_matches(account_sid, '{_NO_SID}'), false) AS is_nobody,
    nullif(concat_ws('\', if(actor_domain = '', NULL, actor_domain), if(regexp_matches(subject, '{_NO_NAME}'), NULL, subject)), actor_domain) AS actor,
    CASE WHEN NOT is_security THEN 'other' WHEN number = '4624' THEN if(logon_type IN {_SEATED}, 'session', 'other')
      WHEN number = '4647' THEN 'ended' WHEN number = '4740' THEN 'lockout' WHEN number IN ('4723', '4724', '4767') THEN 'recovery'
      WHEN number = '4625' AND logon_type IN {_UNATTENDED} THEN 'other'
      WHEN number IN ('4768', '4776') AND coalesce(try_cast(status AS BIGINT) = 0, status = '0x0', false)
        THEN CASE WHEN number = '4776' THEN 'other' WHEN preauth IN ('15', '16', '17') THEN 'certificate' ELSE 'password' END
      WHEN number IN ('4625', '4768', '4771', '4776') THEN 'refusal' ELSE 'other' END AS what
  FROM named n LEFT JOIN (VALUES {_table(_WHY)}) w(code, what, words) ON w.code = coalesce(nullif('0x' || ltrim(substr(n.why, 3), '0'), '0x'), '0x0')
), judged AS (
  SELECT *, CASE WHEN is_nobody AND what <> 'other' THEN 'other' WHEN what IN ('session', 'ended', 'certificate') THEN 'session'
      WHEN what <> 'refusal' THEN what WHEN refusal = 'password' THEN 'password' WHEN refusal = 'lockout' THEN 'lockout'
      WHEN refusal IN ('refused', 'revoked') THEN 'session' WHEN refusal = 'other' THEN 'other' ELSE 'password' END AS kind
  FROM typed
)
SELECT source, 0 AS step, happened AS occurred_at,
  coalesce(origin, record || '|' || coalesce(computer, '') || '|' || CAST(floor(epoch(happened)) AS BIGINT),
    md5(concat_ws('|', epoch_us(happened), number, computer, name, domain_, address, workstation, why, logon_type, logon_id))) AS event_id,
  kind, CASE kind WHEN 'other' THEN NULL WHEN 'lockout' THEN 'locked'
    WHEN 'password' THEN if(what = 'refusal', 'failure', 'success')
    WHEN 'session' THEN CASE what WHEN 'refusal' THEN 'failure' WHEN 'ended' THEN 'ended' ELSE 'success' END
    ELSE if(is_failure, 'failure', 'success') END AS outcome,
  if(is_nobody, NULL, nullif(concat_ws('\', if(domain = '', NULL, domain), name), '')) AS login,
  if(is_nobody OR NOT starts_with(account_sid, 'S-1-5-21-'), NULL, account_sid) AS user_id,
  if(is_nobody, NULL, lower(split_part(known(domain_), '.', 1))) AS tenant,
  if(kind = 'recovery' AND number <> '4723', actor, NULL) AS actor, if(kind = 'password', 'password', NULL) AS factor,
  if(what = 'refusal' AND kind <> 'other' AND refusal IN ('revoked', 'unexplained'), 'ambiguous', 'explicit') AS certainty,
  concat_ws(' ', number, if(number IN ('4624', '4625') AND logon_type <> '', 'type ' || logon_type, NULL), why) AS code,
  if(what = 'refusal', coalesce(words, if(starts_with(reason, '%%'), NULL, reason)), NULL) AS detail,
  if(what IN ('session', 'ended') AND kind = 'session' AND computer IS NOT NULL, computer || ' ' || logon_id, NULL) AS session_id,
  if(is_nobody OR number NOT IN ('4624', '4625'), NULL, computer) AS app, if(is_here, NULL, address) AS ip,
  if(number IN ('4624', '4625', '4740', '4776') AND NOT is_server, nullif(lower(workstation), ''), NULL) AS device,
  if(what = 'certificate' AND kind = 'session', true, NULL) AS is_resistant
FROM judged
"""


def _is_number(value: object) -> bool:
    return re.fullmatch(r"\d{3,5}", str(value)) is not None


def _is_logged(row: Record) -> bool:
    """A row has the marks of a Windows event log, or at least of one of the events that are read."""
    logged = row.get("Computer") and (row.get("Channel") or row.get("SourceName"))
    return bool(logged or row.get("TargetUserName") or row.get("Type") == "SecurityEvent")


def _marks_flat(row: Record) -> bool:
    is_dated = any(row.get(key) for key in ("TimeCreated", "EventTime", "TimeGenerated", "_time", "timestamp"))
    return is_dated and _is_number(row.get("EventID")) and _is_logged(row)


def _marks_beat(row: Record) -> bool:
    log = row.get("winlog")
    return isinstance(log, Mapping) and _is_number(log.get("event_id")) and "@timestamp" in row


def _marks_xml(row: Record) -> bool:
    system = row.get("System")
    return isinstance(system, Mapping) and bool(system.get("EventID") and system.get("TimeCreated"))


def _sure(named: str) -> LiteralString:
    return cast("LiteralString", f"coalesce(regexp_full_match({named}, '[0-9]{{3,5}}'), false)")


_NEEDS = "an event id and a readable time"
SHAPES = (
    Shape(
        "flat", _FLAT, f"EventID IS NOT NULL AND {_FLAT_AT} IS NOT NULL", f"WITH security AS ({_FROM_FLAT}) {_MEANING}", _marks_flat, _NEEDS, _ALIASES,
        whole=f"{_sure('EventID')} AND (TargetUserName <> '' OR (Computer <> '' AND (Channel <> '' OR SourceName <> '')))",
    ),
    Shape(
        "winlogbeat", _BEAT, f"winlog.event_id IS NOT NULL AND {_BEAT_AT} IS NOT NULL", f"WITH security AS ({_FROM_BEAT}) {_MEANING}", _marks_beat, _NEEDS,
        whole=_sure("winlog.event_id"),
    ),
    Shape(
        "xml", _XML, f"{_NUMBER.format('System.EventID')} IS NOT NULL AND {_XML_AT} IS NOT NULL", f"WITH security AS ({_FROM_XML}) {_MEANING}", _marks_xml,
        _NEEDS, whole="System.EventID <> '' AND System.TimeCreated <> ''",
    ),
)  # fmt: skip

# No challenge of a second factor is in this log.
PATIENCE: dict[str, Patience] = {}

_NONE = "no second factor is in this log"
SIGHT = {
    "explicit_prompt": Sight(False, _NONE),
    "explicit_deny": Sight(False, _NONE),
    "explicit_timeout": Sight(False, _NONE),
    "explicit_report": Sight(False, _NONE),
    "answerer_place": Sight(False, _NONE),
    "number_match": Sight(False, _NONE),
    "vendor_risk": Sight(False, "there is no verdict; an event time without a zone (NXLog's EventTime) is read as UTC"),
    "factor_changes": Sight(False, "passwords and lockouts have rows; a password is no MFA factor"),
}
