// Reads a JSON object of queries by name from standard input; writes, by name, what Microsoft's own parser and binder have to say of each.
"use strict";
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;

// The columns that the queries may name, as Microsoft's reference and the connectors' samples give them.
const tables = {
  SigninLogs:
    "(TimeGenerated: datetime, UserPrincipalName: string, IPAddress: string, ResultType: string, Status: dynamic, RiskLevelDuringSignIn: string, AuthenticationRequirement: string)",
  AuditLogs: "(TimeGenerated: datetime, OperationName: string, Result: string, TargetResources: dynamic, InitiatedBy: dynamic)",
  AADUserRiskEvents: "(TimeGenerated: datetime, UserPrincipalName: string, IpAddress: string, RiskEventType: string, RiskLevel: string)",
  OktaV2_CL:
    "(TimeGenerated: datetime, ActorUsername: string, SrcIpAddr: string, EventOriginalType: string, OriginalOutcomeResult: string, EventOriginalResultDetails: string, DebugData: dynamic)",
  CiscoDuo_CL: "(TimeGenerated: datetime, user_name_s: string, access_device_ip_s: string, result_s: string, reason_s: string, factor_s: string)",
  CloudAppEvents: "(Timestamp: datetime, ActionType: string, RawEventData: dynamic)",
};
const symbols = Object.entries(tables).map(([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
const database = new Symbols.DatabaseSymbol.$ctor1("logs", symbols);
const globals = GlobalState.Default.WithDatabase(database);

const queries = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const said = {};
for (const [name, text] of Object.entries(queries)) {
  const found = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  said[name] = [];
  for (let number = 0; number < found.Count; number += 1) {
    said[name].push(found.getItem(number).Message);
  }
}
process.stdout.write(JSON.stringify(said));
