"""Text that strangers chose, made so that it cannot deceive who reads it."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 300
_WORD = re.compile(r"[^\W\d_]+")
# Invisible although they are letters or marks: fillers of Hangul and Khmer, the Mongolian vowel separator, the braille blank, variation selectors.
_BLANK = re.compile("[\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LOOKALIKES = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "GEORGIAN", "LATIN LETTER SMALL CAPITAL")
_COSTUMES = ("FULLWIDTH", "HALFWIDTH LATIN", "MATHEMATICAL", "CIRCLED LATIN", "PARENTHESIZED LATIN")
_MARKS = 3


def visible(value: object, longest: int = _LONGEST) -> str:
    """The text of a value on one line, shortened in the middle where it is too long.

    Characters that cannot be seen, that turn the reading direction, or that pose as Latin letters inside of a Latin word are shown by their number:
    [U+202E]. A word wholly in another script stays as it is. An address of the web is written so that no mail or chat program makes a link of it:
    https[:]//example.com.
    """
    text = "" if value is None else str(value)
    if len(text) > longest * 4:
        text = text[: longest * 4]
    shown = text if text.isascii() and text.isprintable() else _COMBINED.sub(_first_marks, _WORD.sub(_word, "".join(map(_seen, text))))
    shown = _WEB.sub("[:]//", _WWW.sub("[.]", shown))
    if len(shown) <= longest:
        return shown
    return f"{shown[: longest * 2 // 3]} … {shown[len(shown) - longest // 3 + 3 :]}"


# What programs make links of by themselves, wherever it stands.
_WEB, _WWW = re.compile("://"), re.compile(r"(?<=\bwww)\.", re.IGNORECASE)
_COMBINED = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{3,}")


def _first_marks(found: re.Match[str]) -> str:
    """So many marks over one letter that they would cover the lines around it are cut."""
    return found[0][:_MARKS]


def _seen(char: str) -> str:
    if char in "\t\n\r":
        return " "
    if unicodedata.category(char) in _UNSEEN or _BLANK.match(char):
        return f"[U+{ord(char):04X}]"
    return _numbered(char) if unicodedata.name(char, "").startswith(_COSTUMES) else char


def _word(found: re.Match[str]) -> str:
    word = found[0]
    if word.isascii() or not any(unicodedata.name(char, "").startswith("LATIN ") for char in word):
        return word
    return "".join(_numbered(char) if unicodedata.name(char, "").startswith(_LOOKALIKES) else char for char in word)


def _numbered(char: str) -> str:
    return f"[U+{ord(char):04X}]"
