"""What attackers write into logs, and where each is meant to do harm."""

from __future__ import annotations

import re
import zlib

STRINGS = {
    "script": "<script>window.pwned=1;alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "foreign image": "'><img src=//evil.example/p.png>",
    "end of script": "</script><script>alert(1)</script>",
    "javascript": "javascript:alert(1)",
    "handler": "' onmouseover='alert(1)' autofocus onfocus='alert(1)",
    "svg": "<svg onload=alert(1)><iframe src=//evil.example></iframe>",
    "template": "{{7*7}}${7*7}#{7*7}{0.__class__}%(x)s%n",
    "style": "</style><style>*{display:none}</style>",
    "comment": "--><!--]]><b>x</b><a href=//evil.example>x</a>",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "plus": "+cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "sum": "@SUM(1+1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "second cell": 'x;=1+1\t=1+1,=1+1"',
    "channel": "<!channel> <!here>",
    "slack link": "<http://evil.example|click>",
    "mention": "<@U123> @everyone",
    "markdown link": "[x](http://evil.example)",
    "markdown image": "![](http://evil.example/p.png)",
    "markdown": "*bold* _it_ ~no~ `code` # head",
    "bare link": "http://evil.example/a www.evil.example",
    "header": "x\r\nBcc: a@evil.example\r\n\r\n<b>body</b>",
    "line": "x\n<13>1 2026-03-01T00:00:00Z evil unbidden - - - CEF:0|a|b|c|d|e|9|",
    "pipes": "a|b=c\\|d]\"e' cs1=forged\\n",
    "escape": "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil.example\x07x\x9b31m",
    "markup": "[bold red]x[/bold red][link=http://evil.example]y[/link]",
    "direction": "\u202egpj.exe\u2066\u2069",
    "nul": "a\x00b",
    "zero width": "adm\u200bi\u200dn\ufeff\u2060\u00ad",
    "tags": "ana\U000e0041\U000e0042",
    "lookalike": "p\u0430ypal",
    "stacked": "a" + "\u0301" * 40,
    "long": "A" * 9_990 + "<b>tail</b>",
}
# Of what no output may hold a piece that is not escaped, one sign of each.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e0fff]")


def poison(value: str, salt: str) -> str:
    """A hostile text in the place of a value: always the same for the same value and salt, another for another value."""
    number = zlib.crc32(f"{salt} {value}".encode())
    texts = list(STRINGS.values())
    return f"{texts[number % len(texts)]} {number:08x}"
