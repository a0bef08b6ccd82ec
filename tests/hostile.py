"""Names that mean harm, and an eye for what drives a terminal; the eye is written apart from the code it judges."""

from __future__ import annotations

import re
import unicodedata

TEXTS: dict[str, str] = {
    "sgr": "\x1b[31mred\x1b[0m",
    "sgr 256": "\x1b[38;5;201mpink",
    "conceal": "\x1b[8mhidden\x1b[28m",
    "clear": "\x1b[2J\x1b[H",
    "cursor up": "\x1b[5A\x1b[2K",
    "scroll region": "\x1b[1;1r",
    "alternate screen": "\x1b[?1049h",
    "report": "\x1b[6n\x1b[c",
    "mouse": "\x1b[?1003h",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http:evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "palette": "\x1b]4;1;rgb:00\x1b\\",
    "dcs": "\x1bP$q q\x1b\\",
    "apc": "\x1b_Gi=1\x1b\\",
    "pm": "\x1b^private\x1b\\",
    "reset": "\x1bc",
    "charset": "\x1b(0lqqk\x0f",
    "c1 csi": "\x9b31mred",
    "c1 osc": "\x9d0;owned\x9c",
    "c1 dcs": "\x90q\x9c",
    "next line": "one\x85two",
    "shift out": "\x0eabc",
    "bell": "\x07\x07\x07",
    "backspace": "safe\x08\x08\x08\x08evil",
    "delete": "a\x7fb",
    "carriage return": "evil\rsafe",
    "line": "first\nerror: second",
    "vertical tab": "a\x0bb\x0cc",
    "tab": "a\tb",
    "right-to-left override": "a\u202etxt.exe",
    "embedding": "\u202aa\u202b\u202c\u202d",
    "isolate": "\u2066a\u2067b\u2068c\u2069",
    "marks": "a\u200eb\u200fc\u061c",
    "zero width": "pass\u200bword\u200c\u200d\u2060",
    "byte order mark": "\ufeffname",
    "soft hyphen": "na\u00adme",
    "separators": "a\u2028b\u2029c",
    "tags": "ok\U000e0001\U000e0068\U000e0069\U000e007f",
    "annotation": "a\ufff9b\ufffac\ufffb",
    "private use": "\ue000\U000f0000",
    "not assigned": "\u0378\U000e0fff",
    "not a character": "\uffff\ufffe",
    "lone high": "a\ud800b",
    "lone low": "a\udfffb",
    "byte": "caf\udce9",
    "bytes": "\udcff\udcfe\udc80",
    "byte before utf-8": "\udce9é",
    "markup of rich": "[link=http:evil.example]a[/link][bold]b[/]",
    "unclosed markup": "[/nothing]",
    "mathematics": "$\\frac{1}{$",
    "unbalanced": "100$ {",
    "html": "<script>alert(1)<&script>",
    "formula": "=cmd|' &C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3+cmd",
    "at": "@SUM(A1)",
    "wide": "\uff1d1+1",
    "quotes": "\"x\",'y'",
    "backslash": "literal \\x1b[31m \\",
    "braces": "{0}{name!r:>{w}}%s%n",
}

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_OWN_COLOURS = re.compile("\x1b\\[(?:0|1|2|3|3[0-9]|9[0-7]|[1-3];[1-3](?:;3[0-9])?|[1-3];3[0-9]|38;5;(?:70|197|237))m")
"""Bold, dim, italics, the sixteen colours, and those of a progress bar: of the texts above ``sgr`` alone has one."""


def driving(text: str, kept: str = "\n\t") -> set[str]:
    """Characters of a text that a terminal or a reader is misled by."""
    return {character for character in text if unicodedata.category(character) in _HIDDEN and character not in kept}


def without_own_colours(text: str) -> str:
    """What a terminal got, without the styles that stripelab emits and with ends of lines as they were written.

    A style just before a word of :data:`TEXTS` would be one of theirs, and stays.
    """
    assert "\x1b[31mred" not in text
    return _OWN_COLOURS.sub("", text).replace("\r\n", "\n")
