# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of xm's written again, line for line, as xl's.

Each assignment meets its rule. What it was stays, in a comment above what it is now.
"""

import ast
import difflib
import io
import os
import re
import textwrap
import tokenize

from devices import LISTS
from evaluator import Unknown
from messages import Refused, printable, shortened
from program import PYTHON
from rules import DEFAULTS, HVM_DEFAULTS, KNOWN, convert, plain
from xl_syntax import ATOM, STATEMENT, quoted, statement


def comment_out(line):
    return line if line.lstrip()[:1] in ("", "#") else "#" + line


def comments_in(source):
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def explain(indent, *texts):
    lines = []
    for text in texts:
        lines += textwrap.wrap(
            printable(text),
            100,
            initial_indent=indent + "# xm2xl: ",
            subsequent_indent=indent + "#        ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


class Converter:
    """Writes a program's lines anew."""

    def __init__(self, program, domain, report):
        self.program = program
        self.domain = domain
        self.report = report
        self.own_lines = {}  # first line: (last line, what takes their place)
        self.after = {}  # line: what follows it
        self.added_device_model = False

    def run(self):
        for assignment in self.program.assignments:
            self.place(assignment)
        return self.lines()

    def place(self, assignment):
        node, program = assignment.node, self.program
        if assignment.name not in KNOWN and assignment.name in program.used:
            program.is_python(node, PYTHON)
            return
        first, last = node.lineno, node.end_lineno
        before = program.lines[first - 1][: program.at(first, node.col_offset)]
        behind = program.lines[last - 1][program.at(last, node.end_col_offset) :]
        alone = not before.strip() and re.fullmatch(r"[ \t]*;?[ \t]*(#.*)?", behind)
        alone = alone and len(getattr(node, "targets", [0])) == 1

        old = [program.lines[line - 1] for line in range(first, last + 1)]
        old_source = program.source(node)
        comments, new = self.rewritten(assignment, old_source)
        if new is None and alone:
            lines = old
        elif alone and new:
            note = behind.strip(" \t;")
            if note:
                comments = [before + note] + comments
            lines = comments + [before + line for line in new]
        elif alone:
            lines = comments + [comment_out(line) for line in old]
        else:
            program.is_python(node, "more than one statement in a line")
            lines = comments + (old_source.split("\n") if new is None else new)
            self.after.setdefault(last, []).extend(lines)
            return
        self.own_lines[first] = (last, lines)

    def rewritten(self, assignment, source):
        """Comments, and the lines in the place of the source: None if it stays, [] if it goes."""
        name, line = assignment.name, assignment.node.lineno
        if name not in KNOWN:
            return explain("", self.unknown(name, line)), []

        def warn(text):
            self.report.warn(line, f"{name}: {text}")

        try:
            if isinstance(assignment.value, Unknown):
                raise Refused(f"{assignment.value.why}; write the value itself")
            value = plain(name, assignment.value)
            if name in LISTS and value is not None:
                return self.rewritten_list(assignment, source, value, warn)
            return self.rewritten_value(assignment, source, value, warn)
        except Refused as refused:
            self.report.error(line, f"{name}: {refused}")
            return [], []

    def rewritten_value(self, assignment, source, value, warn):
        outcome = convert(self.domain, assignment.name, value)
        for text in outcome.warnings:
            warn(text)
        if outcome.settings is None:
            return self.in_xl_syntax(assignment, source, value)
        if not outcome.settings:
            return explain("", "left out: " + outcome.why[0]), []
        if any(key == "device_model_override" for key, _ in outcome.settings):
            self.added_device_model = True
        new = []
        for key, setting in outcome.settings:
            new += statement(key, setting)
        return explain("", f"was {shortened(source)}: {'; '.join(outcome.why)}"), new

    def unknown(self, name, line):
        near = difflib.get_close_matches(name, KNOWN, 1)
        self.report.warn(
            line,
            f"{name}: neither xm nor xl knows it"
            + (f"; {near[0]} was probably meant" if near else "")
            + ": left out",
        )
        return "left out: neither xm nor xl knows it"

    def in_xl_syntax(self, assignment, source, value):
        # What stays is tested against xl's own syntax: there, True and 'a' 'b' are errors.
        if STATEMENT.fullmatch(source) and assignment.value == value:
            return [], None
        why = f"was {shortened(source)}: xl reads plain values only"
        return explain("", why), self.anew(assignment, source, value)

    def anew(self, assignment, source, value):
        """The statement with another value, its layout and the comments in it kept if possible."""
        lines = self.edited(assignment, source, value) if isinstance(value, list) else None
        if lines is None or len(lines) == 1 and len(lines[0]) > 100:
            comments = comments_in(source) if "\n" in source else []
            lines = comments + statement(assignment.name, value, assignment.operator)
        return lines

    def rewritten_list(self, assignment, source, value, warn):
        name = assignment.name
        if not isinstance(value, list):
            if value == "":
                return explain("", "left out: empty, it is not set"), []
            raise Refused("it should be a list, as in " + name + " = [ '...' ]")
        items, reasons, changes = [], [], []
        for item in value:
            try:
                text, why = LISTS[name](self.domain, str(item), warn)
            except Refused as refused:
                self.report.error(assignment.node.lineno, f"{name}: {refused}")
                continue
            items.append(text)
            if why:
                changes.append(f"was '{item}'")
                reasons.append(why)
        if name == "vfb" and self.domain.hvm:
            return self.top_level(source, items)
        if not changes:
            return self.in_xl_syntax(assignment, source, value)
        comments = explain("", *changes, "; ".join(dict.fromkeys(reasons)))
        return comments, self.anew(assignment, source, items)

    def edited(self, assignment, source, items):
        """The source, only those items of its list replaced that differ; None if it has no list."""
        operand, first = assignment.operand, assignment.node.lineno
        if not isinstance(operand, ast.List) or len(operand.elts) != len(items):
            return None
        starts = [-self.program.at(first, assignment.node.col_offset)]
        position = 0
        for line in source.split("\n")[:-1]:
            position += len(line) + 1
            starts.append(position)
        for node, item in reversed(list(zip(operand.elts, items))):
            row, last = node.lineno, node.end_lineno
            begin = starts[row - first] + self.program.at(row, node.col_offset)
            end = starts[last - first] + self.program.at(last, node.end_col_offset)
            same = isinstance(node, ast.Constant) and node.value == item
            if not (same and re.fullmatch(ATOM, source[begin:end])):
                source = source[:begin] + quoted(item) + source[end:]
        return source.split("\n") if STATEMENT.fullmatch(source) else None

    def top_level(self, source, items):
        new = []
        for field in ",".join(items).split(","):
            key, _, value = field.partition("=")
            if key and key not in self.domain.settings:
                number = value.isdecimal() and key not in ("vncpasswd", "keymap")
                new += statement(key, int(value) if number else value)
        why = "an HVM domain has its screen in settings of their own"
        return explain("", f"was {shortened(source)}: {why}"), new

    def lines(self):
        result, line, why = [], 1, None
        source = self.program.lines
        while line <= len(source):
            if line in self.own_lines:
                last, lines = self.own_lines[line]
                result += lines
                line, why = last + 1, None
                continue
            if line in self.program.python:
                if why != self.program.python[line] and source[line - 1].strip():
                    why = self.program.python[line]
                    result += explain("", why)
                result.append(comment_out(source[line - 1]))
            else:
                result.append(source[line - 1])
            result += self.after.get(line, [])
            line += 1
        return result + self.added()

    def added(self):
        """What the file did not say."""
        settings, block = self.domain.settings, []
        defaults = dict(DEFAULTS)
        if self.domain.hvm:
            defaults.update(HVM_DEFAULTS)
        if "restart" in settings:
            del defaults["on_crash"]
        for name, value in defaults.items():
            if name not in settings:
                block += statement(name, value)
        if block:
            block = explain("", "xm's defaults, which are not xl's") + block
        if "name" not in settings:
            name = os.path.basename(self.report.name)
            if name == "-":
                self.report.error(0, "the domain has no name: write name = \"...\"")
            block += explain("", "xm took the name of the file") + statement("name", name)
        if not self.domain.hvm:
            return [""] + block if block else []

        if not self.added_device_model and "device_model_override" not in settings:
            self.added_device_model = True
            block += explain("", "qemu-dm, the device model with sound")
            if "device_model_version" not in settings:
                block += statement("device_model_version", "qemu-xen")
            block += statement("device_model_override", self.domain.device_model)
        if self.added_device_model:
            if settings.get("soundhw"):
                why = "where the sound goes, and how soon, if not as qemu-dm.conf(5) has it"
                audiodev = '[ "-audiodev", "pa,id=snd0,out.latency=10000" ]'
                block += explain("", why) + ["#device_model_args_hvm = " + audiodev]
            else:
                block += explain("", "there was no sound card; with one:")
                block.append('#soundhw = "es1370"')
        return [""] + block if block else []
