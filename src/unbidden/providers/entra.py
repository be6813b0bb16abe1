"""Microsoft Entra ID: sign-ins, directory audits and risk detections, from Graph, the diagnostic stream, Log Analytics and the portal.

Source: Microsoft Graph schema (v1.0 and beta), Entra documentation on sign-in error codes, MFA result strings and audit activities.
A sign-in row gives one event for itself and one for every step of authentication inside it. The same step stands in several
rows of one correlationId and is corrected later, so a step is named by flow, time and method and the newest copy wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from unbidden.engine import Structure
from unbidden.providers import Patience, Record, Shape, Sight, directory
from unbidden.rendering.entra import REPERTOIRE, carries, render

__all__ = ("PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render")

TITLE = "Microsoft Entra ID"


def _texts(names: str) -> dict[str, Structure | list[Structure] | str]:
    return dict.fromkeys(names.split(), "VARCHAR")


_PLACE: Structure = {**_texts("city state countryOrRegion"), "geoCoordinates": _texts("latitude longitude")}
_STEP = _texts("authenticationStepDateTime authenticationMethod succeeded authenticationStepResultDetail authenticationStepRequirement")
_SHARED: Structure = {
    **_texts("id createdDateTime correlationId userPrincipalName userId signInIdentifier servicePrincipalId appDisplayName resourceDisplayName ipAddress"),
    **_texts("userAgent sessionId resourceTenantId autonomousSystemNumber tokenIssuerType riskLevelDuringSignIn riskLevelAggregated riskEventTypes_v2"),
    **_texts("authenticationAppPolicyEvaluationDetails"), "authenticationDetails": [_STEP], "authenticationAppDeviceDetails": _texts("deviceId"),
    "deviceDetail": _texts("deviceId operatingSystem browser isCompliant isManaged trustType"), "mfaDetail": _texts("authMethod authDetail"),
}  # fmt: skip
_STATUS = _texts("errorCode failureReason additionalDetails")
SIGN_IN: Structure = {**_SHARED, **_texts("tenantId conditionalAccessStatus"), "location": _PLACE, "status": _STATUS}
STREAM: Structure = {**_texts("time tenantId category"), "properties": SIGN_IN}
TABLE: Structure = {**_SHARED, **_texts("location status timeGenerated aadTenantId resultType resultDescription mfaResult"), "locationDetails": _PLACE}
STEPS: Structure = _texts("requestId date authenticationMethod succeeded resultDetail requirement")
AUDIT: Structure = {
    **_texts("id tenantId correlationId activityDisplayName operationName activityDateTime timeGenerated loggedByService result resultReason"),
    **_texts("resultDescription userAgent aadTenantId target1UserPrincipalName target1ObjectId"), "additionalDetails": [_texts("key value")],
    "initiatedBy": {"user": _texts("id userPrincipalName ipAddress"), "app": _texts("displayName")},
    "targetResources": [_texts("id userPrincipalName type modifiedProperties")],
}  # fmt: skip
RISK: Structure = {
    **_texts("id tenantId requestId correlationId riskEventType riskLevel riskState riskDetail ipAddress userId userPrincipalName activityDateTime"),
    **_texts("detectedDateTime lastUpdatedDateTime riskLastUpdatedDateTime additionalInfo timeGenerated aadTenantId"), "location": _PLACE,
}  # fmt: skip

# Headers of the portal's CSV in English, French, Spanish and German. French and part of the Spanish are seen in tools that read them; the rest is unverified.
_HEADERS: tuple[tuple[str, str], ...] = (
    ("createdDateTime", "Date (UTC)|Date|Fecha (UTC)|Datum (UTC)"),
    ("id", "Request ID|ID de requête|ID de la demande|Id. de solicitud|Anforderungs-ID"),
    ("correlationId", "ID de corrélation|Id. de correlación|Korrelations-ID"),
    ("userId", "Identifiant utilisateur|ID d'utilisateur|Id. de usuario|Benutzer-ID"), ("appDisplayName", "Application|Aplicación|Anwendung"),
    ("userPrincipalName", "Username|Nom d'utilisateur|Nombre de usuario|Benutzername"),
    ("resourceDisplayName", "Resource|Ressource|Recurso"), ("ipAddress", "Adresse IP|Dirección IP|IP-Adresse"),
    ("location", "Emplacement|Ubicación|Standort"), ("status", "Statut|Estado"),
    ("resultType", "Sign-in error code|Code d'erreur de connexion|Código de error de inicio de sesión|Anmeldefehlercode"),
    ("resultDescription", "Failure reason|Raison de l'échec|Motivo del error|Fehlerursache|Fehlergrund"),
    ("userAgent", "Agent utilisateur|Agente de usuario|Benutzer-Agent"), ("sessionId", "ID de session|Id. de sesión|Sitzungs-ID"),
    ("autonomousSystemNumber", "Numéro de système autonome|Número de sistema autónomo|Nummer des autonomen Systems"),
    ("deviceDetail.deviceId", "Device ID|ID de l'appareil|Id. de dispositivo|Geräte-ID"), ("deviceDetail.browser", "Browser|Navigateur|Explorador"),
    ("deviceDetail.operatingSystem", "Operating System|Système d'exploitation|Sistema operativo|Betriebssystem"),
    ("deviceDetail.isCompliant", "Compliant|Conforme|Compatible|Konform"), ("deviceDetail.isManaged", "Managed|Géré|Administrado|Verwaltet"),
    ("deviceDetail.trustType", "Join Type|Type de jointure|Tipo de unión|Verknüpfungstyp"),
    ("mfaResult", "Multifactor authentication result|Résultat de l'authentification multifacteur|Resultado de la autenticación multifactor"),
    ("mfaResult", "Ergebnis der Multi-Faktor-Authentifizierung"), ("mfaDetail.authMethod", "Multi-Faktor-Authentifizierungsmethode"),
    ("mfaDetail.authMethod", "Multifactor authentication auth method|Méthode d'authentification multifacteur|Método de autenticación multifactor"),
)  # fmt: skip
_STEP_HEADERS = (
    ("requestId", "ID de requête|ID de la demande|Id. de solicitud|Anforderungs-ID"), ("date", "Date (UTC)|Fecha|Fecha (UTC)|Datum|Datum (UTC)"),
    ("authenticationMethod", "Méthode d'authentification|Método de autenticación|Authentifizierungsmethode"),
    ("succeeded", "Réussi|Correcto|Erfolgreich"), ("resultDetail", "Détail du résultat|Detalle del resultado|Ergebnisdetail"),
)  # fmt: skip
_AUDIT_HEADERS = (
    ("activityDateTime", "Date (UTC)|Date|Fecha (UTC)|Datum (UTC)"), ("activityDisplayName", "Activity|Activité|Actividad|Aktivität"),
    ("loggedByService", "Service|Servicio|Dienst"), ("result", "Résultat|Resultado|Ergebnis"), ("initiatedBy.user.ipAddress", "IPAddress"),
    ("initiatedBy.user.userPrincipalName", "ActorUserPrincipalName"), ("initiatedBy.user.id", "ActorObjectId"),
    ("initiatedBy.app.displayName", "ActorServicePrincipalName"), ("target1UserPrincipalName", "Cible1UserPrincipalName|Objetivo1NombrePrincipalDeUsuario"),
)  # fmt: skip


def _aliases(headers: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return {re.sub(r"[\W_]+", "", word.lower()): tuple(path.split(".")) for path, words in headers for word in words.split("|")}


# authenticationMethod, without what stands in brackets behind it, in our words. An OATH code may come from any token or app.
_METHODS = {
    "password": "password", "push": "mobile app notification|authenticator app|microsoft authenticator",
    "number_push": "passwordless phone sign-in|phone sign-in", "bypass": "temporary access pass", "external": "external authentication method",
    "sms": "text message|sms", "call": "phone call|voice|voice call", "email": "email|email otp|email one-time passcode",
    "totp": "oath verification code|mobile app verification code|software oath token", "token": "hardware oath token|oath hardware token",
    "passkey": "fido2 security key|fido2|passkey|windows hello for business|x.509 certificate|certificate-based authentication",
}  # fmt: skip

# The words of a result: what they mean, and the factor they speak of where the row names none (v1.0). Looked for in this order;
# between words anything may stand: vendors change marks and spaces.
_FATES: tuple[tuple[str, str, str | None], ...] = (
    ("completed", "approved", None), ("user approved", "approved", "push"), ("suspicious", "reported", "push"), ("fraud", "reported", "call"),
    ("correct number", "wrong_number", "number_push"), ("declined", "denied", "push"), ("did not respond", "unanswered", "push"),
    ("never entered", "unanswered", "sms"), ("unable to reach", "unanswered", "call"), ("voicemail", "unanswered", "call"),
    ("hung up", "unanswered", "call"), ("too many times", "blocked", None), ("is blocked", "blocked", None), ("duplicate authentication", "blocked", None),
    ("incorrect pin", "wrong_code", "call"), ("incorrect code", "wrong_code", None), ("incorrect verification code", "wrong_code", None),
    ("invalid mobile app", "wrong_code", "totp"), ("already used", "wrong_code", None), ("unable to send", "undelivered", "push"),
    ("invalid format", "undelivered", "call"), ("service error", "undelivered", None), ("misconfiguration", "undelivered", None),
    ("any verification methods", "undelivered", None), ("in progress", "pending", None), ("mfa required", "asked", None), ("redirected", "asked", None),
    ("registration prompted", "asked", None), ("has expired", "asked", None),
)  # fmt: skip

# Error codes that are not plain failures. An interrupt says "one more step", "sign in again" or "no session yet": no failure of a person.
# A wrong password may be wrong, expired, missing, of a disabled account or somebody unknown's. 50053 is smart lockout or a malicious address.
# 81010 is a seamless sign-in that fell back to the password (from memory, unverified).
_CODES = {
    "interrupt": "50074 50076 50072 50079 50078 50158 50097 50125 50135 50140 50058 50199 16000 16001 50132 50133 50173 70043 70044 700082 70016 65001 81010",
    "password": "50126 50034 50056 50055 50057 50064 50144", "success": "0", "locked": "50053", "limited": "50088",
}  # fmt: skip


def _table(entries: Iterable[tuple[str, ...]]) -> str:
    return ", ".join("(" + ", ".join(f"'{cell}'" for cell in entry) + ")" for entry in entries)


_NAMED = _table((name, factor) for factor, names in _METHODS.items() for name in names.split("|"))
_DONE = _table((name, *meaning) for name, meaning in directory().activities.items())
_MEANT = _table((code, meaning) for meaning, codes in _CODES.items() for code in codes.split())
_FATE = " ".join(f"WHEN words LIKE '%{text.replace(' ', '%')}%' THEN '{fate}'" for text, fate, _ in _FATES)
_SPOKEN = " ".join(f"WHEN words LIKE '%{text.replace(' ', '%')}%' THEN '{factor}'" for text, _, factor in _FATES if factor)
_SUCCEEDED = "'success', 'succès', 'réussite', 'opération réussie', 'correcto', 'éxito', 'erfolgreich', 'erfolg'"
_INTERRUPTED = "'interrupted', 'interrompu', 'interrompue', 'interrumpido', 'interrumpida', 'unterbrochen'"
_RISK = "CASE WHEN 'high' IN ({0}) THEN 'high' WHEN 'medium' IN ({0}) THEN 'medium' WHEN 'low' IN ({0}) THEN 'low' END"

# What a sign-in row says, whatever its form. The NPS extension's address is the RADIUS server's, not the person's.
_COLUMNS = {
    "id": "known(id)", "flow_id": "known(correlationId)", "created": "utc(createdDateTime)", "seen_at": "utc(createdDateTime)",
    "code": "status.errorCode", "words_": "coalesce(known(status.additionalDetails), known(mfaDetail.authDetail))", "reason": "status.failureReason",
    "is_interrupted": "false", "details": "coalesce(authenticationDetails, [])", "method": "mfaDetail.authMethod",
    "policy": "authenticationAppPolicyEvaluationDetails", "phone": "known(authenticationAppDeviceDetails.deviceId)", "agent": "known(userAgent)",
    "login": "coalesce(known(userPrincipalName), known(signInIdentifier))", "user_id": "known(userId)", "session_id": "known(sessionId)",
    "tenant": "coalesce(known(tenantId), known(resourceTenantId))",
    "app": "coalesce(known(appDisplayName), known(resourceDisplayName), nullif(known(tokenIssuerType), 'AzureAD'))",
    "ip": "if(tokenIssuerType = 'NPSExtension', NULL, bare_ip(ipAddress))", "asn": "try_cast(autonomousSystemNumber AS BIGINT)",
    "country": "known(location.countryOrRegion)", "region": "known(location.state)", "city": "known(location.city)",
    "lat": "try_cast(location.geoCoordinates.latitude AS DOUBLE)", "lon": "try_cast(location.geoCoordinates.longitude AS DOUBLE)",
    "device": "known(deviceDetail.deviceId)", "client": "client_of(known(deviceDetail.browser), known(deviceDetail.operatingSystem))",
    "is_managed": "CASE WHEN tristate(deviceDetail.isManaged) OR tristate(deviceDetail.isCompliant) OR ends_with(deviceDetail.trustType, 'joined') THEN true"
    " WHEN coalesce(tristate(deviceDetail.isManaged), tristate(deviceDetail.isCompliant)) IS NOT NULL THEN false END",
    "is_proxy": "if(contains(riskEventTypes_v2, 'anonymizedIPAddress'), true, NULL)",
    "risk": _RISK.format("lower(riskLevelDuringSignIn), lower(riskLevelAggregated)"),
}  # fmt: skip
_TABLE_TIME = "coalesce(utc(createdDateTime), utc(timeGenerated), utc(authenticationDetails[1].authenticationStepDateTime))"
# Log Analytics writes the country alone into Location, the portal "city, state, country".
_TABLE_COLUMNS = {
    "created": _TABLE_TIME, "seen_at": "greatest(utc(timeGenerated), utc(createdDateTime))",
    "code": "coalesce(known(resultType), CASE WHEN starts_with(status, '{') THEN try(status->>'$.errorCode')"
    f" WHEN lower(trim(status)) IN ({_SUCCEEDED}) THEN '0' ELSE lower(trim(status)) END)",
    "words_": "coalesce(known(mfaResult), if(starts_with(status, '{'), try(status->>'$.additionalDetails'), NULL), known(mfaDetail.authDetail))",
    "reason": "resultDescription", "is_interrupted": f"coalesce(lower(trim(status)) IN ({_INTERRUPTED}), false)",
    "tenant": "coalesce(known(aadTenantId), known(resourceTenantId))",
    "country": "coalesce(known(locationDetails.countryOrRegion), known(trim(split_part(location, ',', -1))))",
    "region": "coalesce(known(locationDetails.state), if(contains(location, ','), known(trim(split_part(location, ',', -2))), NULL))",
    "city": "coalesce(known(locationDetails.city), if(location LIKE '%,%,%', known(split_part(location, ',', 1)), NULL))",
    "lat": "try_cast(locationDetails.geoCoordinates.latitude AS DOUBLE)", "lon": "try_cast(locationDetails.geoCoordinates.longitude AS DOUBLE)",
}  # fmt: skip

# What the steps `s` of the relation `single` say. A method nobody knows in the first place of a sign-in is some first factor.
# What most steps say is passed by first: it is no word for a fate, and looking for each of them took a sixth of the time.
_TOLD = f"""
named AS (
  SELECT r.*, lower(s.authenticationStepResultDetail) AS words, tristate(s.succeeded) AS is_ok,
    if(m.factor = 'push' AND is_number, 'number_push', coalesce(m.factor, if(step > 0, 'unknown', NULL))) AS method_factor
  FROM (SELECT *, contains(policy, 'numberMatch') AND NOT contains(policy, 'numberMatchOutOfDate') AS is_number FROM single) r
    LEFT JOIN (VALUES {_NAMED}) m(name, factor) ON m.name = lower(trim(split_part(s.authenticationMethod, '(', 1)))
), spoken AS (
  SELECT *, if(method_factor = 'unknown', CASE {_SPOKEN} ELSE 'unknown' END, method_factor) AS factor,
    CASE WHEN words IS NULL OR words = 'correct password' THEN NULL {_FATE} END AS word FROM named
), told AS (
  SELECT *, CASE WHEN word IS NOT NULL THEN word WHEN is_ok THEN 'approved' WHEN factor NOT IN ('push', 'number_push') THEN 'failed'
      WHEN contains(policy, 'numberMatchDeny') THEN 'denied' WHEN contains(policy, 'numberMatchIncorrect') THEN 'wrong_number' ELSE 'failed' END AS fate,
    CASE WHEN step = 0 OR word = 'asked' THEN NULL
      WHEN factor = 'password' OR (factor = 'unknown' AND s.authenticationStepRequirement ILIKE 'primary%') THEN 'password'
      WHEN word = 'pending' THEN if(factor IN ('push', 'number_push', 'sms', 'call', 'email'), 'prompt', NULL)
      WHEN word = 'undelivered' THEN 'prompt' ELSE 'answer' END AS said
  FROM spoken
)"""
_OUTCOME = """CASE kind WHEN 'password' THEN if(coalesce(is_ok, words LIKE 'correct password%', false), 'success', 'failure')
      WHEN 'prompt' THEN if(fate = 'pending', 'sent', 'failed') WHEN 'answer' THEN fate END"""
_CERTAINTY = """WHEN kind = 'answer' AND fate = 'failed' THEN 'ambiguous' WHEN kind = 'prompt' AND fate = 'pending' THEN 'inferred'
    ELSE 'explicit' END AS certainty"""
_CHALLENGE = """if(kind IN ('prompt', 'answer'), 'login', NULL) AS intent, if(kind = 'answer', factor = 'passkey', NULL) AS is_resistant,
  if(kind = 'answer' AND factor IN ('push', 'number_push'), factor = 'number_push' OR is_number, NULL) AS has_number"""

_CLAIM = """s.authenticationStepResultDetail ILIKE '%satisfied%' OR s.authenticationStepResultDetail ILIKE '%skipped%'
      OR s.authenticationMethod ILIKE '%satisfied%' OR s.authenticationMethod ILIKE 'claim%'"""
_PENDING = "s.authenticationStepResultDetail ILIKE '%in%progress%' AND i < len(details) AND details[i + 1].authenticationMethod = s.authenticationMethod"


# The events of the sign-ins in the relation `flat`. `fresh` are the steps that happened now: no claims of a token, no step that has its result
# behind it. A row whose steps do not tell how the challenge or the password check ended (v1.0, portal, first copies) gets one step made of its status.
_SIGN_INS = f"""
fresh AS (
  SELECT flat.*, coalesce(meant.meaning, if(code IS NULL, 'interrupt', 'failure')) AS meaning,
    coalesce(id, md5(concat_ws('|', created, login, code, ip, app))) AS row_key,
    list_filter(details, lambda s, i: NOT coalesce({_CLAIM}, false) AND NOT coalesce({_PENDING}, false)) AS fresh
  FROM flat LEFT JOIN (VALUES {_MEANT}) meant(name, meaning) ON meant.name = code
), listed AS (
  SELECT *, len(fresh) < len(details) AS has_claim, len(list_filter(fresh, lambda s: NOT coalesce(lower(s.authenticationMethod) = 'password'
      OR s.authenticationStepResultDetail ILIKE 'mfa%required%' OR s.authenticationStepResultDetail ILIKE 'redirected%'
      OR (s.authenticationStepRequirement ILIKE 'primary%' AND coalesce(s.authenticationMethod, '') = ''), false))) > 0 AS is_asked
  FROM fresh
), counted AS (
  SELECT * EXCLUDE (fresh), list_concat([NULL], fresh, CASE
    WHEN NOT is_asked AND NOT coalesce(words_ ILIKE '%satisfied%', false) AND (code = '500121' OR (code <> '0' AND words_ ILIKE '%denied%')
      OR (len(details) = 0 AND (words_ ILIKE '%completed%' OR words_ ILIKE '%denied%' OR words_ ILIKE 'suspicious%'))) THEN
      [{{'authenticationStepDateTime': NULL, 'authenticationMethod': method, 'succeeded': CAST(code = '0' AS VARCHAR),
        'authenticationStepRequirement': 'result',
        'authenticationStepResultDetail': if(words_ ILIKE '%required%' OR (code = '500121' AND words_ ILIKE '%in%progress%'), NULL, words_)}}]
    WHEN len(fresh) = 0 AND meaning = 'password' THEN
      [{{'authenticationStepDateTime': NULL, 'authenticationMethod': 'Password', 'succeeded': 'false',
        'authenticationStepResultDetail': reason, 'authenticationStepRequirement': 'result'}}]
    ELSE [] END) AS steps
  FROM listed
), single AS (
  SELECT * EXCLUDE (steps), unnest(steps) AS s, generate_subscripts(steps, 1) - 1 AS step FROM counted
), {_TOLD}, kinds AS (
  SELECT *, s.authenticationStepRequirement IS NOT DISTINCT FROM 'result' AS is_whole, coalesce(utc(s.authenticationStepDateTime), created) AS happened,
    CASE WHEN step > 0 THEN said WHEN login IS NULL AND user_id IS NULL THEN 'other' WHEN meaning = 'success' THEN 'session'
      WHEN is_interrupted OR meaning = 'interrupt' THEN 'other' WHEN meaning IN ('locked', 'limited') THEN 'lockout' ELSE 'session' END AS kind
  FROM told
), keyed AS (
  SELECT *, CASE WHEN step = 0 THEN row_key WHEN is_whole THEN row_key || '|' || kind
    ELSE concat_ws('|', coalesce(flow_id, row_key), CAST(happened AS VARCHAR), lower(trim(s.authenticationMethod))) END AS event_id
  FROM kinds WHERE kind IS NOT NULL
)
SELECT event_id, if(step = 0, created, happened) AS occurred_at, step, source, seen_at, login, user_id, tenant, kind,
  CASE WHEN kind = 'lockout' AND code = '50053' THEN 'ambiguous' {_CERTAINTY},
  CASE WHEN step > 0 THEN factor WHEN code = '50158' THEN 'external' WHEN kind <> 'session' OR meaning <> 'success' OR is_asked THEN NULL
    WHEN coalesce(details[-1].authenticationStepResultDetail, words_) ILIKE '%external provider%' THEN 'external'
    WHEN has_claim OR words_ ILIKE '%satisfied%' OR words_ ILIKE '%skipped%' THEN 'remembered' END AS factor,
  CASE WHEN step > 0 THEN {_OUTCOME} WHEN kind = 'session' THEN if(meaning = 'success', 'success', 'failure')
    WHEN kind = 'lockout' THEN meaning END AS outcome,
  nullif(concat_ws(' ', code, known(s.authenticationMethod)), '') AS code,
  coalesce(known(s.authenticationStepResultDetail), if(step = 0, coalesce(words_, known(reason)), NULL)) AS detail,
  if(kind = 'answer' AND NOT is_whole, event_id, NULL) AS prompt_key, id AS request_id, flow_id, session_id, app, ip, asn, country, region, city, lat, lon,
  agent, client, device, is_managed, is_proxy, risk, if(kind = 'answer' AND factor IN ('push', 'number_push', 'totp'), phone, NULL) AS answer_device,
  {_CHALLENGE}
FROM keyed
"""


def _sign_ins(source: str, columns: dict[str, str]) -> str:
    return f"WITH flat AS (SELECT source, {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM {source}), {_SIGN_INS}"


_SIGN_IN_MINE = "utc(createdDateTime) IS NOT NULL"
_STREAM_MINE = "utc(properties.createdDateTime) IS NOT NULL"
_TABLE_MINE = f"{_TABLE_TIME} IS NOT NULL"
_SENT = {"seen_at": "coalesce(utc(sent), utc(createdDateTime))", "tenant": "coalesce(known(owner), known(tenantId), known(resourceTenantId))"}
_STREAM_ROWS = f"(SELECT properties.*, source, time AS sent, tenantId AS owner FROM raw WHERE {_STREAM_MINE})"

# The rows of the second CSV file name no person: they borrow one from the sign-in of the same request.
_STEPS_MINE = "utc(date) IS NOT NULL AND known(requestId) IS NOT NULL"
_STEPS_EVENTS = f"""
WITH single AS (
  SELECT source, known(requestId) AS id, utc(date) AS happened, CAST(NULL AS VARCHAR) AS policy, 1 AS step, {{'authenticationMethod': authenticationMethod,
    'succeeded': succeeded, 'authenticationStepResultDetail': resultDetail, 'authenticationStepRequirement': requirement}} AS s FROM raw WHERE {_STEPS_MINE}
), {_TOLD}, kinds AS (
  SELECT *, if({_CLAIM}, 'other', coalesce(said, 'other')) AS kind,
    concat_ws('|', id, CAST(happened AS VARCHAR), lower(trim(s.authenticationMethod))) AS event_id
  FROM told
)
SELECT event_id, happened AS occurred_at, 0 AS step, source, kind, if(kind = 'other', NULL, factor) AS factor, {_OUTCOME} AS outcome, CASE {_CERTAINTY},
  known(s.authenticationMethod) AS code, known(s.authenticationStepResultDetail) AS detail, if(kind = 'answer', event_id, NULL) AS prompt_key,
  id AS request_id, {_CHALLENGE}
FROM kinds
"""

# In Log Analytics TenantId is the workspace.
_TENANT = "coalesce(known(aadTenantId), if(timeGenerated IS NULL, known(tenantId), NULL))"
_AUDIT_MINE = "coalesce(utc(activityDateTime), utc(timeGenerated)) IS NOT NULL AND coalesce(activityDisplayName, operationName) IS NOT NULL"
# The old or the new values of all that a row changed, one after another.
_VALUES = """array_to_string(flatten(list_transform(targetResources, lambda t: if(json_valid(t.modifiedProperties),
      json_extract_string(t.modifiedProperties, '$[*].{0}'), CAST([] AS VARCHAR[])))), ' ')"""
# A device is registered by its own service for the person who sits before it: no administrator acted.
_AUDIT_EVENTS = f"""
WITH bare AS (
  SELECT *, coalesce(known(activityDisplayName), operationName) AS activity, coalesce(utc(activityDateTime), utc(timeGenerated)) AS happened,
    list_filter(targetResources, lambda t: t.type = 'User' OR known(t.userPrincipalName) IS NOT NULL)[1] AS someone, initiatedBy.user AS doer,
    list_filter(additionalDetails, lambda d: lower(d.key) = 'user-agent')[1].value AS told_agent
  FROM raw WHERE {_AUDIT_MINE}
), named AS (
  SELECT bare.*, rtrim(lower(trim(split_part(activity, 'Tenant.', -1))), '.') AS name, coalesce(known(doer.userPrincipalName),
      known(initiatedBy.app.displayName)) AS who, coalesce(known(someone.userPrincipalName), known(target1UserPrincipalName)) AS whom,
    coalesce(known(someone.id), known(target1ObjectId)) AS whom_id, coalesce(known(resultReason), known(resultDescription)) AS told,
    {_VALUES.format("oldValue")} AS old, {_VALUES.format("newValue")} AS new
  FROM bare
), typed AS (
  SELECT named.*, CASE WHEN done.kind IS NOT NULL THEN done.kind WHEN name NOT IN ('update user', 'set company information') THEN 'other'
      WHEN NOT contains(CAST(targetResources AS VARCHAR), 'StrongAuthentication') THEN 'other' WHEN name LIKE 'update%' THEN 'factor' ELSE 'policy' END AS kind,
    CASE WHEN {directory().is_weaker} THEN 'weakened' WHEN name = 'admin registered security info' AND told ILIKE '%temporary access pass%' THEN 'bypassed'
      ELSE coalesce(done.outcome, 'changed') END AS outcome_
  FROM named LEFT JOIN (VALUES {_DONE}) done(activity_, kind, outcome) ON done.activity_ = named.name
)
SELECT coalesce(known(id), md5(concat_ws('|', happened, activity, who, whom, correlationId))) AS event_id, happened AS occurred_at, 0 AS step, source,
  if(kind = 'policy', who, coalesce(whom, if(whom_id IS NULL OR whom_id = doer.id, known(doer.userPrincipalName), NULL))) AS login,
  if(kind = 'policy', known(doer.id), coalesce(whom_id, known(doer.id))) AS user_id, {_TENANT} AS tenant,
  if(kind <> 'policy' AND coalesce(doer.id <> whom_id, true) AND lower(who) IS DISTINCT FROM lower(whom) AND whom IS NOT NULL
    AND (kind <> 'device' OR known(doer.userPrincipalName) IS NOT NULL), who, NULL) AS actor,
  kind, CASE WHEN kind = 'other' THEN NULL WHEN lower(result) IN ('failure', 'timeout') THEN 'failure' ELSE outcome_ END AS outcome, 'explicit' AS certainty,
  concat_ws(' ', activity, result) AS code, told AS detail, known(correlationId) AS flow_id,
  if(kind = 'report', NULL, bare_ip(doer.ipAddress)) AS ip, if(kind = 'report', NULL, coalesce(known(userAgent), known(told_agent))) AS agent
FROM typed
"""

_RISK_TIME = "coalesce(utc(activityDateTime), utc(detectedDateTime), utc(riskLastUpdatedDateTime))"
_RISK_MINE = f"{_RISK_TIME} IS NOT NULL"
_RISK_EVENTS = f"""
SELECT if(riskEventType IS NULL, concat_ws('|', id, riskLastUpdatedDateTime),
    coalesce(known(id), md5(concat_ws('|', activityDateTime, riskEventType, userId)))) AS event_id, {_RISK_TIME} AS occurred_at,
  coalesce(utc(lastUpdatedDateTime), utc(detectedDateTime), utc(riskLastUpdatedDateTime)) AS seen_at, 0 AS step,
  source, known(userPrincipalName) AS login, coalesce(known(userId), if(riskEventType IS NULL, known(id), NULL)) AS user_id, {_TENANT} AS tenant,
  CASE WHEN riskEventType = 'userReportedSuspiciousActivity' THEN 'report' WHEN lower(riskState) IN ('dismissed', 'confirmedsafe') THEN 'other'
    ELSE 'risk' END AS kind, if(kind = 'other', NULL, 'success') AS outcome, 'explicit' AS certainty,
  concat_ws(' ', riskEventType, riskState) AS code, known(riskDetail) AS detail, known(requestId) AS request_id, known(correlationId) AS flow_id,
  bare_ip(ipAddress) AS ip, known(location.countryOrRegion) AS country, known(location.state) AS region, known(location.city) AS city,
  try_cast(location.geoCoordinates.latitude AS DOUBLE) AS lat, try_cast(location.geoCoordinates.longitude AS DOUBLE) AS lon,
  known(regexp_extract(additionalInfo, '"Key": *"userAgent", *"Value": *"([^"]*)"', 1)) AS agent,
  if(riskEventType = 'anonymizedIPAddress', true, NULL) AS is_proxy, {_RISK.format("lower(riskLevel)")} AS risk
FROM raw WHERE {_RISK_MINE}
"""


def _is_sign_in(record: Record) -> bool:
    is_told = isinstance(record.get("status"), dict) or "conditionalAccessStatus" in record
    return bool(record.get("createdDateTime")) and is_told and ("userPrincipalName" in record or "servicePrincipalId" in record)


def _is_stream(record: Record) -> bool:
    inner = record.get("properties")
    return isinstance(inner, dict) and _is_sign_in(inner)


def _is_table(record: Record) -> bool:
    is_told = "resultType" in record or not str(record.get("status") or "{").startswith("{")
    has_time = any(key in record for key in ("createdDateTime", "timeGenerated", "authenticationDetails"))
    return is_told and has_time and ("userPrincipalName" in record or "servicePrincipalId" in record) and ("ipAddress" in record or "correlationId" in record)


def _is_step(record: Record) -> bool:
    return bool(record.get("requestId")) and "authenticationMethod" in record and ("succeeded" in record or "resultDetail" in record)


def _is_audit(record: Record) -> bool:
    return bool(record.get("activityDisplayName") or record.get("operationName")) and bool(record.get("loggedByService") or record.get("targetResources"))


def _is_risk(record: Record) -> bool:
    return "userPrincipalName" in record and ("riskEventType" in record or ("riskLastUpdatedDateTime" in record and "riskState" in record))


_SURE = "(status.errorCode IS NOT NULL OR conditionalAccessStatus IS NOT NULL)"
_SURE_STREAM = "(properties.status.errorCode IS NOT NULL OR properties.conditionalAccessStatus IS NOT NULL)"
_READ, _EXPORTED = f"raw WHERE {_SIGN_IN_MINE}", f"raw WHERE {_TABLE_MINE}"
_RENAMED = {"createdat": ("createdDateTime",)}
SHAPES = (
    Shape("sign_in", SIGN_IN, _SIGN_IN_MINE, _sign_ins(_READ, _COLUMNS), _is_sign_in, "a readable createdDateTime", _RENAMED, whole=_SURE),
    Shape("stream", STREAM, _STREAM_MINE, _sign_ins(_STREAM_ROWS, _COLUMNS | _SENT), _is_stream, "a readable createdDateTime", whole=_SURE_STREAM),
    Shape("table", TABLE, _TABLE_MINE, _sign_ins(_EXPORTED, _COLUMNS | _TABLE_COLUMNS), _is_table, "a readable date", _aliases(_HEADERS)),
    Shape("steps", STEPS, _STEPS_MINE, _STEPS_EVENTS, _is_step, "a request ID and a readable date", _aliases(_STEP_HEADERS)),
    Shape("audit", AUDIT, _AUDIT_MINE, _AUDIT_EVENTS, _is_audit, "an activity and a readable time", _aliases(_AUDIT_HEADERS)),
    Shape("risk", RISK, _RISK_MINE, _RISK_EVENTS, _is_risk, "a readable time", {"risktype": ("riskEventType",)}),
)

_UNVERIFIED = "lifetime of the challenge: from memory, unverified"
PATIENCE = {
    "push": Patience(60, _UNVERIFIED), "number_push": Patience(60, _UNVERIFIED), "call": Patience(60, _UNVERIFIED),
    "sms": Patience(180, _UNVERIFIED), "email": Patience(600, _UNVERIFIED),
}  # fmt: skip

SIGHT = {
    "explicit_prompt": Sight(False, "no row says that a prompt was sent: it is implied by its result; a prompt still open may show as a step in progress"),
    "explicit_deny": Sight(True, "the step's text names a denial; where only error 500121 is exported it cannot be told from a time-out"),
    "explicit_timeout": Sight(True, "the step's text names an ignored prompt; with error 500121 alone it cannot be told from a denial"),
    "explicit_report": Sight(True, "a report stands in the step, in the audit log and among the risk detections, if the tenant has switched reporting on"),
    "answerer_place": Sight(False, "the phone's device id, system and app version are logged, never its address or place"),
    "number_match": Sight(True, "beta and stream rows say how the number was answered; v1.0 and the portal's files do not"),
    "vendor_risk": Sight(True, "sign-in risk and risk detections; without Entra ID P2 they are hidden or generic"),
    "factor_changes": Sight(True, "registration, change and removal of security info have audit rows; another log than the sign-ins: export both"),
}
