# SPDX-License-Identifier: GPL-2.0-or-later
"""xl's syntax of assignments."""

import re

from messages import Refused

ATOM = r"""(?:'(?:[^'\\\n]|\\["'\\])*'|"(?:[^"\\\n]|\\["'\\])*"|0x[0-9a-f]+|0|[1-9][0-9]*)"""
_LINES = r"(?:[ \t\n]|\#[^\n]*\n)*"
STATEMENT = re.compile(
    rf"[a-z][._0-9a-z]*[ \t]*\+?=[ \t]*"
    rf"(?:{ATOM}|\[{_LINES}(?:{ATOM}{_LINES}(?:,{_LINES}{ATOM}{_LINES})*(?:,{_LINES})?)?\])"
)


def quoted(value):
    """A value in xl's syntax, which has no sign."""
    if isinstance(value, int) and value >= 0:
        return str(int(value))
    text = str(value)
    for character in text:
        if not character.isprintable():
            raise Refused(f"the value has a control character, {character!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def statement(name, value, operator="="):
    if not isinstance(value, list):
        return [f"{name} {operator} {quoted(value)}"]
    items = [quoted(item) for item in value]
    line = f"{name} {operator} [ {', '.join(items)} ]" if items else f"{name} {operator} [ ]"
    if len(line) <= 100:
        return [line]
    return [f"{name} {operator} ["] + [f"    {item}," for item in items] + ["]"]
