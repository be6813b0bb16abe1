"""Microsoft 365 unified audit log: sign-ins, directory changes and risk detections, as the Management API, Purview and SIEMs export them.

Source: Microsoft's Office 365 Management Activity API schema (June 2026), its list of AADSTS error codes, and the forms seen in public SIEM samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import LiteralString

from unbidden.engine import Structure
from unbidden.providers import Patience, Record, Shape, Sight, directory
from unbidden.rendering.m365 import REPERTOIRE, carries, render

__all__ = ("PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render")

TITLE = "Microsoft 365 unified audit log"

_CHANGE: Structure = {"NewValue": "VARCHAR", "OldValue": "VARCHAR"}
_EXTENDED: Structure = {"RequestType": "VARCHAR", "ResultStatusDetail": "VARCHAR", "UserAgent": "VARCHAR", "UserAuthenticationMethod": "VARCHAR"}
_DEVICE: Structure = {
    "Id": "VARCHAR", "OS": "VARCHAR", "BrowserType": "VARCHAR", "SessionId": "VARCHAR", "IsCompliantAndManaged": "VARCHAR", "IsCompliant": "VARCHAR",
}  # fmt: skip
_STRONG = (
    "StrongAuthenticationMethod", "StrongAuthenticationPhoneAppDetail", "StrongAuthenticationUserDetails",
    "StrongAuthenticationRequirement", "StrongAuthenticationPolicy",
)  # fmt: skip

# A list of properties is either Name and Value each, or (as some shippers write it) one object with the names as keys: both fit here.
_AUDIT: Structure = {
    "CreationTime": "VARCHAR", "Start_Time": "VARCHAR", "RecordType": "VARCHAR", "ResultStatus": "VARCHAR", "UserId": "VARCHAR", "UserKey": "VARCHAR",
    "ClientIP": "VARCHAR", "ClientIPAddress": "VARCHAR", "ActorIpAddress": "VARCHAR", "IpAddress": "VARCHAR", "UserAgent": "VARCHAR",
    "ErrorNumber": "VARCHAR", "LogonError": "VARCHAR", "LoginStatus": "VARCHAR", "ApplicationId": "VARCHAR", "ObjectId": "VARCHAR",
    "InterSystemsId": "VARCHAR", "IntraSystemId": "VARCHAR", "UserPrincipalName": "VARCHAR", "CorrelationId": "VARCHAR", "RequestId": "VARCHAR",
    "DeviceProperties": [{"Name": "VARCHAR", "Value": "VARCHAR", **_DEVICE}],
    "ModifiedProperties": [{"Name": "VARCHAR", **_CHANGE, **dict.fromkeys(_STRONG, _CHANGE)}],
    "Actor": [{"ID": "VARCHAR", "Type": "VARCHAR"}], "Target": [{"ID": "VARCHAR", "Type": "VARCHAR"}],
    "Parameters": [{"Name": "VARCHAR", "Value": "VARCHAR", "ForwardingSmtpAddress": "VARCHAR", "ForwardingAddress": "VARCHAR"}],
    "ActivityDateTime": "VARCHAR", "RiskEventType": "VARCHAR", "RiskLevel": "VARCHAR", "RiskState": "VARCHAR", "RiskDetail": "VARCHAR",
    "Location": {"city": "VARCHAR", "state": "VARCHAR", "countryOrRegion": "VARCHAR", "geoCoordinates": {"latitude": "VARCHAR", "longitude": "VARCHAR"}},
}  # fmt: skip

STRUCTURE: Structure = {
    "Id": "VARCHAR", "Operation": "VARCHAR", "OrganizationId": "VARCHAR", "Workload": "VARCHAR",
    **_AUDIT, "ExtendedProperties": [{"Name": "VARCHAR", "Value": "VARCHAR", **_EXTENDED}],
}  # fmt: skip

# The Elastic integration moves what ECS names out of the record. (`source_`: `source` is our number of the input; spelling takes both for one word.)
ELASTIC: Structure = {
    "timestamp": "VARCHAR", "event": {"action": "VARCHAR", "id": "VARCHAR", "provider": "VARCHAR"},
    "organization": {"id": "VARCHAR"}, "user_agent": {"original": "VARCHAR"},
    "source_": {
        "ip": "VARCHAR", "as": {"number": "VARCHAR", "organization": {"name": "VARCHAR"}},
        "geo": {"country_iso_code": "VARCHAR", "region_name": "VARCHAR", "city_name": "VARCHAR", "location": {"lat": "VARCHAR", "lon": "VARCHAR"}},
    },
    "o365": {"audit": {**_AUDIT, "ExtendedProperties": _EXTENDED}},
}  # fmt: skip

# Columns of Sentinel's OfficeActivity.
_ALIASES = {
    "timegenerated": ("CreationTime",), "timestamp": ("CreationTime",), "officeworkload": ("Workload",), "officeid": ("Id",), "officeobjectid": ("ObjectId",),
    "azureadappid": ("ApplicationId",), "aadtarget": ("Target",), "errorcode": ("ErrorNumber",),
}  # fmt: skip

# Error number, its name (a record may have only one of them), and what it means: kind, outcome. Source: Microsoft's list of AADSTS error codes;
# the name of 50089 is from a sample, that of 500121 from Microsoft's schema.
_ERRORS: tuple[tuple[str, str | None, str, str | None], ...] = (
    ("50126", "InvalidUserNameOrPassword", "password", "failure"), ("50034", "UserAccountNotFound", "password", "failure"),
    ("50055", "InvalidPasswordExpiredPassword", "password", "failure"), ("50056", None, "password", "failure"),
    ("50057", "UserDisabled", "password", "failure"), ("50064", "CredentialAuthenticationError", "password", "failure"),
    ("50144", "InvalidPasswordExpiredOnPremPassword", "password", "failure"),
    ("500121", "AuthenticationFailedSasError", "answer", "failed"),
    ("50053", "IdsLocked", "lockout", "locked"), ("50088", None, "lockout", "limited"),
    ("53000", "DeviceNotCompliant", "session", "failure"), ("53001", "DeviceNotDomainJoined", "session", "failure"),
    ("53002", "ApplicationUsedIsNotAnApprovedApp", "session", "failure"), ("53003", "BlockedByConditionalAccess", "session", "failure"),
    ("53004", "ProofUpBlockedDueToRisk", "session", "failure"), ("53010", "ProofUpBlockedDueToSecurityInfoAcr", "session", "failure"),
    ("53011", None, "session", "failure"), *((number, None, "session", "failure") for number in ("50105", "50129", "50131", "50155", "90072", "135011")),
    ("530032", "BlockedByConditionalAccessOnSecurityPolicy", "session", "failure"),
    ("530035", "BlockedBySecurityDefaults", "session", "failure"),
    # Interrupts: the sign-in goes on in a later row. A number that is not listed is taken for one too.
    ("50058", "UserInformationNotProvided", "other", None), ("50072", "UserStrongAuthEnrollmentRequiredInterrupt", "other", None),
    ("50074", "UserStrongAuthClientAuthNRequiredInterrupt", "other", None), ("50076", "UserStrongAuthClientAuthNRequired", "other", None),
    ("50078", "UserStrongAuthExpired", "other", None), ("50079", "UserStrongAuthEnrollmentRequired", "other", None),
    ("50089", "FlowTokenExpired", "other", None), ("50097", "DeviceAuthenticationRequired", "other", None), ("50140", "KmsiInterrupt", "other", None),
    ("50125", "PasswordResetRegistrationRequiredInterrupt", "other", None), ("50158", "ExternalSecurityChallenge", "other", None),
    ("50199", "CmsiInterrupt", "other", None),
)  # fmt: skip

# Directory operations that are no audit activity of Entra's; from memory, unverified: sessions revoked.
_OPERATIONS = {**directory().activities, "update stsrefreshtokenvalidfrom timestamp": ("session", "ended")}
# Operations on a mailbox that hide or carry off what comes in. Outlook's own name for it and the parameters of forwarding are from memory, unverified.
_RULES = "'new-inboxrule', 'set-inboxrule', 'updateinboxrules'"
_FORWARDS = "'ForwardingSmtpAddress', 'ForwardingAddress'"


def _table(entries: Iterable[tuple[str | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


_FAILURES = _table(_ERRORS)
_CHANGES = _table((name, *meaning) for name, meaning in _OPERATIONS.items())

MINE: LiteralString = "Operation IS NOT NULL AND utc(coalesce(CreationTime, Start_Time)) IS NOT NULL"
_MINE_ELASTIC: LiteralString = "event.action IS NOT NULL AND utc(coalesce(o365.audit.CreationTime, timestamp)) IS NOT NULL"


def _lists(column: str) -> str:
    """SQL for the names and the values of a list of properties; a property without a value counts as absent."""
    return (
        f"list_transform({column}Properties, lambda p: if(p.Value IS NULL, NULL, p.Name)) AS {column}_names, "
        f"list_transform({column}Properties, lambda p: p.Value) AS {column}_values"
    )


def _property(column: str, name: str) -> str:
    """SQL for one property out of a list of them; of several of one name the first counts."""
    return f"coalesce({column}_values[list_position({column}_names, '{name}')], {column}Properties[1].{name})"


_DEVICE_FACTS = ", ".join(f"known({_property('Device', name)}) AS {column}" for name, column in (
    ("Id", "device_id"), ("OS", "os"), ("BrowserType", "browser"), ("SessionId", "session"), ("IsCompliantAndManaged", "managed"), ("IsCompliant", "compliant"),
))  # fmt: skip

# Both forms of a record as the same columns.
_FLAT = f"""
listed AS (SELECT * REPLACE (coalesce(CreationTime, Start_Time) AS CreationTime), {_lists("Extended")}, {_lists("Device")} FROM raw WHERE {MINE}),
flat AS (
  SELECT *, {_DEVICE_FACTS}, {_property("Extended", "RequestType")} AS request_type, {_property("Extended", "ResultStatusDetail")} AS status_detail,
    coalesce({_property("Extended", "UserAgent")}, UserAgent) AS user_agent, {_property("Extended", "UserAuthenticationMethod")} AS methods,
    coalesce(known(ClientIP), known(ActorIpAddress), known(ClientIPAddress), known(IpAddress)) AS address, NULL AS as_number, NULL AS as_name,
    Location.countryOrRegion AS land, Location.state AS area, Location.city AS town,
    Location.geoCoordinates.latitude AS latitude, Location.geoCoordinates.longitude AS longitude
  FROM listed
)"""
_FLAT_ELASTIC = f"""
opened AS (
  SELECT unnest(o365.audit), event.id AS Id, event.action AS Operation, event.provider AS Workload, organization.id AS OrganizationId, source,
    user_agent.original AS original_agent, source_.ip AS source_ip, source_."as" AS network, source_.geo AS geo, timestamp AS at_timestamp
  FROM raw WHERE {_MINE_ELASTIC}
), listed AS (
  SELECT * REPLACE (coalesce(CreationTime, at_timestamp) AS CreationTime), {_lists("Device")} FROM opened
), flat AS (
  SELECT *, {_DEVICE_FACTS}, ExtendedProperties.RequestType AS request_type, ExtendedProperties.ResultStatusDetail AS status_detail,
    coalesce(original_agent, ExtendedProperties.UserAgent, UserAgent) AS user_agent, ExtendedProperties.UserAuthenticationMethod AS methods,
    coalesce(known(source_ip), known(ClientIP), known(ActorIpAddress), known(ClientIPAddress), known(IpAddress)) AS address,
    network.number AS as_number, network.organization.name AS as_name,
    coalesce(geo.country_iso_code, Location.countryOrRegion) AS land, coalesce(geo.region_name, Location.state) AS area,
    coalesce(geo.city_name, Location.city) AS town, geo.location.lat AS latitude, geo.location.lon AS longitude
  FROM listed
)"""

_STRONG_LIST = ", ".join(
    f"{{'name': '{name}', 'new': ModifiedProperties[1].{name}.NewValue, 'old': ModifiedProperties[1].{name}.OldValue}}" for name in _STRONG
)
_LENGTH = "CAST(coalesce(try(json_array_length(if(starts_with({0}, '\"'), json_extract_string({0}, '$'), {0}))), 0) AS BIGINT)"
_IS_ID = "length({0}) = 36 AND substr({0}, 9, 1) = '-' AND substr({0}, 24, 1) = '-'"
# The directory id of a person among the names of an Actor or a Target, which hold the ids of applications too.
_PERSON_ID = (
    "coalesce(substr(list_filter({0}, lambda t: starts_with(t.ID, 'User_'))[1].ID, 6),"
    f" list_filter({{0}}, lambda t: t.Type IN ('0', '2') AND {_IS_ID.format('t.ID')})[1].ID)"
)

# Bits of UserAuthenticationMethod that stand for a phishing-resistant first factor: Windows Hello, certificate, macOS credential, passkey (Sekoia's research).
_RESISTANT = 262144 | 2097152 | 8388608 | 33554432

_IS_FORWARDED = f"""(len(list_filter(Parameters, lambda p: p.Name IN ({_FORWARDS}) AND known(p.Value) IS NOT NULL)) > 0
        OR coalesce(known(Parameters[1].ForwardingSmtpAddress), known(Parameters[1].ForwardingAddress)) IS NOT NULL)"""
_CHANGED = "array_to_string(list_transform(ModifiedProperties, lambda p: p.{0}Value), ' ')"

_MEANING = f"""
named AS (
  SELECT flat.*, split_part(lower(rtrim(Operation, '. ')), 'tenant.', -1) AS operation_,
    CASE WHEN known(ErrorNumber) <> '0' THEN ErrorNumber WHEN known(ErrorNumber) IS NULL OR Operation = 'UserLoginFailed'
      THEN coalesce(words.number, known(LogonError)) END AS error,
    CASE WHEN Operation IN ('UserLoggedIn', 'UserLoginFailed') THEN 'logon'
      WHEN RecordType IN ('15', 'AzureActiveDirectoryStsLogon') THEN 'logon'
      WHEN RecordType IN ('9', 'AzureActiveDirectoryAccountLogon') THEN 'old logon'
      WHEN RecordType IN ('8', 'AzureActiveDirectory') THEN 'directory'
      WHEN RecordType IN ('294', 'AadRiskDetection') THEN 'risk'
      WHEN operation_ IN ({_RULES}) OR (operation_ = 'set-mailbox' AND {_IS_FORWARDED}) THEN 'mail' ELSE 'other' END AS what
  FROM flat LEFT JOIN (VALUES {_FAILURES}) words(number, word, kind, outcome) ON words.word = LogonError
), changed AS (
  SELECT named.*, errors.kind AS error_kind, errors.outcome AS error_outcome, plain.kind AS plain_kind, plain.outcome AS plain_outcome,
    if(what = 'directory', {_CHANGED.format("Old")}, NULL) AS old, if(what = 'directory', {_CHANGED.format("New")}, NULL) AS new, operation_ AS name,
    CASE WHEN what = 'directory' THEN list_filter(
      list_concat(list_transform(ModifiedProperties, lambda p: {{'name': p.Name, 'new': p.NewValue, 'old': p.OldValue}}), [{_STRONG_LIST}]),
      lambda p: starts_with(p.name, 'StrongAuthentication') AND (p.new IS NOT NULL OR p.old IS NOT NULL)) END AS changes
  FROM named LEFT JOIN (VALUES {_FAILURES}) errors(number, word, kind, outcome) ON what = 'logon' AND errors.number = named.error
    LEFT JOIN (VALUES {_CHANGES}) plain(name, kind, outcome) ON what = 'directory' AND plain.name = operation_
), typed AS (
  SELECT *, CASE what
      WHEN 'logon' THEN CASE WHEN error IS NOT NULL THEN coalesce(error_kind, 'other')
        WHEN Operation NOT IN ('UserLoggedIn', 'UserLoginFailed') OR request_type = 'SAS:BeginAuth' THEN 'other'
        WHEN request_type IN ('SAS:EndAuth', 'SAS:ProcessAuth') THEN 'answer' ELSE 'session' END
      WHEN 'old logon' THEN if(ends_with(Operation, 'UsingPassword'), 'password', 'session')
      WHEN 'directory' THEN CASE
        WHEN operation_ = 'update user' THEN if(len(changes) > 0, 'factor', 'other')
        WHEN operation_ = 'set company information' THEN if(len(changes) > 0, 'policy', 'other')
        ELSE coalesce(plain_kind, 'other') END
      WHEN 'mail' THEN 'policy'
      WHEN 'risk' THEN CASE WHEN RiskEventType = 'userReportedSuspiciousActivity' THEN 'report'
        WHEN lower(RiskState) IN ('dismissed', 'confirmedsafe') THEN 'other' ELSE 'risk' END
      ELSE 'other' END AS kind,
    list_transform(changes, lambda p: if(p.name = 'StrongAuthenticationRequirement',
      least({_LENGTH.format("p.new")} - {_LENGTH.format("p.old")}, 0), {_LENGTH.format("p.new")} - {_LENGTH.format("p.old")})) AS growth,
    coalesce(list_filter(Target, lambda t: t.Type = '5')[1].ID, if(contains(ObjectId, '@'), ObjectId, NULL)) AS target_login,
    if(what = 'directory', {_PERSON_ID.format("Target")}, NULL) AS target_id
  FROM changed
), judged AS (
  SELECT *, CASE
      WHEN what = 'logon' THEN CASE WHEN error IS NOT NULL THEN error_outcome
        WHEN kind = 'answer' THEN if(Operation = 'UserLoggedIn', 'approved', 'failed')
        WHEN kind <> 'session' THEN NULL WHEN Operation = 'UserLoginFailed' THEN 'failure' WHEN request_type = 'OAuth2:Logout' THEN 'ended' ELSE 'success' END
      WHEN what = 'old logon' THEN if(coalesce(LoginStatus = '0', lower(ResultStatus) IN ('success', 'succeeded', 'true')), 'success', 'failure')
      WHEN kind = 'other' THEN NULL
      WHEN kind IN ('risk', 'report') THEN 'success'
      WHEN lower(ResultStatus) IN ('failure', 'failed', 'false') THEN 'failure'
      WHEN operation_ = 'update user' THEN CASE WHEN list_max(growth) > 0 AND list_min(growth) >= 0 THEN 'added'
        WHEN list_min(growth) < 0 AND list_max(growth) <= 0 THEN 'removed' ELSE 'changed' END
      WHEN what = 'mail' THEN 'mail_rule'
      WHEN {directory().is_weaker} THEN 'weakened'
      ELSE coalesce(plain_outcome, 'changed') END AS outcome_,
    what = 'directory' AND kind NOT IN ('other', 'policy', 'session') AND target_login IS NOT NULL AND lower(target_login) <> lower(UserId) AS is_for_another,
    if({_IS_ID.format("UserId")}, coalesce(UserPrincipalName, list_filter(Actor, lambda a: a.Type = '5')[1].ID), UserId) AS person
  FROM typed
)
SELECT coalesce(known(Id), md5(concat_ws('|', CreationTime, Operation, UserId, address, InterSystemsId, error, ObjectId))) AS event_id,
  coalesce(if(what = 'risk', utc(ActivityDateTime), NULL), utc(CreationTime)) AS occurred_at, if(what = 'risk', utc(CreationTime), NULL) AS seen_at,
  0 AS step, source, known(OrganizationId) AS tenant,
  known(if(is_for_another, target_login, person)) AS login,
  CASE WHEN is_for_another THEN target_id WHEN {_IS_ID.format("UserKey")} THEN known(UserKey) ELSE coalesce(known({_PERSON_ID.format("Actor")}),
      if({_IS_ID.format("UserId")}, known(UserId), NULL), if(what IN ('other', 'mail'), NULL, known(UserKey))) END AS user_id,
  if(is_for_another, known(UserId), NULL) AS actor,
  kind, outcome_ AS outcome,
  CASE WHEN kind = 'answer' THEN 'unknown' WHEN kind = 'password' THEN 'password' WHEN error = '50158' THEN 'external' END AS factor,
  CASE WHEN kind = 'answer' THEN if(outcome_ = 'approved', 'inferred', 'ambiguous')
    WHEN error = '50053' THEN 'ambiguous'
    WHEN kind = 'session' AND what = 'logon' AND error IS NULL
      AND (outcome_ <> 'success' OR status_detail = 'Redirect' OR request_type = 'OAuth2:Token') THEN 'inferred'
    WHEN kind = 'session' AND what = 'directory' THEN 'inferred' ELSE 'explicit' END AS certainty,
  concat_ws(' ', rtrim(Operation, '. '), if(what = 'logon', error, NULL), RiskEventType) AS code,
  CASE WHEN what = 'logon' THEN nullif(concat_ws(', ', known(LogonError), request_type), '')
    WHEN len(changes) > 0 THEN list_aggregate(list_transform(changes, lambda p: p.name), 'string_agg', ', ')
    WHEN what = 'risk' THEN known(RiskDetail) ELSE known(ResultStatus) END AS detail,
  known(coalesce(IntraSystemId, RequestId, if(what = 'logon', Id, NULL))) AS request_id,
  known(coalesce(InterSystemsId, CorrelationId)) AS flow_id, session AS session_id,
  CASE WHEN what IN ('logon', 'old logon') THEN known(ApplicationId) WHEN Workload <> 'AzureActiveDirectory' THEN known(Workload) END AS app,
  if(kind = 'answer', 'login', NULL) AS intent,
  if(kind = 'report' AND what = 'directory', NULL, bare_ip(address)) AS ip,
  try_cast(as_number AS BIGINT) AS asn, as_name AS org, known(land) AS country, known(area) AS region, known(town) AS city,
  try_cast(latitude AS DOUBLE) AS lat, try_cast(longitude AS DOUBLE) AS lon,
  known(user_agent) AS agent, client_of(browser, os) AS client, device_id AS device, tristate(coalesce(managed, compliant)) AS is_managed,
  if(kind = 'session' AND outcome_ = 'success' AND (try_cast(methods AS BIGINT) & {_RESISTANT}) <> 0, true, NULL) AS is_resistant,
  if(what = 'risk' AND lower(RiskLevel) IN ('low', 'medium', 'high'), lower(RiskLevel), NULL) AS risk
FROM judged
"""


def _marks(record: Record) -> bool:
    is_ours = record.get("Workload") or (record.get("RecordType") and (record.get("OrganizationId") or record.get("UserKey")))
    return bool(record.get("Operation") and is_ours) and ("CreationTime" in record or "Start_Time" in record)


def _marks_elastic(record: Record) -> bool:
    event, o365 = record.get("event"), record.get("o365")
    audit = o365.get("audit") if isinstance(o365, Mapping) else None
    return isinstance(event, Mapping) and bool(event.get("action")) and isinstance(audit, Mapping) and ("RecordType" in audit or "CreationTime" in audit)


_NEEDS = "an Operation and a readable CreationTime"
SHAPES = (
    Shape(name="record", structure=STRUCTURE, mine=MINE, events=f"WITH {_FLAT}, {_MEANING}", marks=_marks, aliases=_ALIASES, needs=_NEEDS),
    Shape(name="elastic", structure=ELASTIC, mine=_MINE_ELASTIC, events=f"WITH {_FLAT_ELASTIC}, {_MEANING}", marks=_marks_elastic, needs=_NEEDS),
)

_LIFE = Patience(60, "how long an Authenticator notification waits: from memory, unverified (this log shows only how challenges end)")
PATIENCE = {"unknown": _LIFE, "push": _LIFE, "number_push": _LIFE}

SIGHT = {
    "explicit_prompt": Sight(False, "no row for a challenge that is sent: only its end is logged, and by default an hour or more later"),
    "explicit_deny": Sight(False, "refused, ignored, wrong number and reported are all error 500121: every one is a failed challenge"),
    "explicit_timeout": Sight(False, "an ignored challenge is error 500121 like a refused one"),
    "explicit_report": Sight(True, "a report of suspicious activity has a risk detection record, where the tenant is licensed for it"),
    "answerer_place": Sight(False, "nothing is said of the phone"),
    "number_match": Sight(False, "nothing is said of number matching"),
    "vendor_risk": Sight(True, "risk detections have records of their own; sign-in records carry no risk"),
    "factor_changes": Sight(True, "changes of the authentication methods are copied from the directory's audit log"),
}
