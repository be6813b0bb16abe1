"""Examples: requests that the OpenAPI document shows."""

from __future__ import annotations

from fastapi.openapi.models import Example

DECISIONS: dict[str, Example] = {
    "take": {"summary": "Take it on", "value": {"state": "investigate", "assignee": "ana@example.com"}},
    "close": {
        "summary": "Close it with a verdict",
        "value": {"state": "closed", "verdict": "benign", "why": "She pressed the wrong button twice, and called us."},
    },
    "leave": {"summary": "Let it go", "value": {"assignee": None}},
}
NOTES: dict[str, Example] = {"call": {"summary": "What was said", "value": {"text": "Called her at 09:40: it was not she who signed in."}}}
LINKS: dict[str, Example] = {
    "url": {"summary": "By URL", "value": {"reference": "https://tickets.example.com/browse/SEC-1042"}},
    "number": {"summary": "By number", "value": {"reference": "SEC-1042"}},
}
