# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of xm's: its statements, in the order in which Python would execute them."""

import ast

from evaluator import MOST_TEXT, Evaluator, Unknown, Unresolved, dotted
from messages import Refused, shortened

PYTHON = "Python: xl reads plain values only, which are now written where they were used"


class Assignment:
    def __init__(self, node, name, operand, value, operator):
        self.node = node
        self.name = name
        self.operand = operand  # the expression's node
        self.value = value
        self.operator = operator


class Program:
    """The statements of a file, in the order in which Python would execute them."""

    def __init__(self, text, report):
        self.lines = text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self.report = report
        self.evaluator = Evaluator()
        self.assignments = []
        self.python = {}  # line: why it is none of xl's
        tree = self.parsed(text)
        self.used = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        try:
            self.walk(tree.body)
        except RecursionError:
            raise Refused("nested too deeply: not a domain's configuration") from None

    def parsed(self, text):
        try:
            return ast.parse(text)
        except SyntaxError as error:
            self.report.error(
                error.lineno or 0,
                f"not in Python's syntax, as xm's files are: {error.msg}; write NAME = VALUE",
            )
            return ast.Module([], [])
        except (ValueError, RecursionError, MemoryError):
            raise Refused("nested too deeply: not a domain's configuration") from None

    def at(self, line, column):
        """A column that ast counted in bytes, in characters."""
        return len(self.lines[line - 1].encode()[:column].decode())

    def source(self, node):
        first, last = node.lineno, node.end_lineno
        begin, end = self.at(first, node.col_offset), self.at(last, node.end_col_offset)
        if first == last:
            return self.lines[first - 1][begin:end]
        inner = self.lines[first : last - 1]
        return "\n".join([self.lines[first - 1][begin:], *inner, self.lines[last - 1][:end]])

    def is_python(self, node, why):
        for line in range(node.lineno, node.end_lineno + 1):
            self.python.setdefault(line, why)

    def walk(self, statements):
        for node in statements:
            if isinstance(node, (ast.Assign, ast.AugAssign)):
                self.assign(node)
            elif isinstance(node, ast.If):
                self.choose(node)
            elif self.without_effect(node):
                self.is_python(node, PYTHON)
            else:
                self.report.error(
                    node.lineno,
                    f"'{shortened(self.source(node))}' is not evaluated: write what it sets, in "
                    "plain assignments like memory = 1024",
                )

    def without_effect(self, node):
        """Whether it changes no variable but those that it defines itself."""
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            return True
        if isinstance(node, ast.FunctionDef):
            self.evaluator.variables[node.name] = Unknown(f"{node.name}() is not evaluated")
            return True
        if isinstance(node, ast.Expr):
            call = isinstance(node.value, ast.Call) and dotted(node.value.func) == "print"
            return call or isinstance(node.value, ast.Constant)
        return False

    def assign(self, node):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        adds = isinstance(node, ast.AugAssign)
        for target in targets:
            if not isinstance(target, ast.Name) or adds and not isinstance(node.op, ast.Add):
                self.report.error(
                    node.lineno,
                    f"'{shortened(self.source(node))}' is not evaluated: write NAME = VALUE",
                )
                continue
            name = target.id
            try:
                value = self.evaluator.value(node.value)
                if adds:
                    before = self.evaluator.of_Name(target)
                    if type(before) is not type(value):
                        raise Refused("what is added is of another kind")
                    both = before + value
                    if isinstance(both, (str, list)) and len(both) > MOST_TEXT:
                        raise Refused("its value is too long")
                    self.evaluator.variables[name] = both
                    operator = "+="
                    if not isinstance(value, (str, list)):
                        value, operator = both, "="
                else:
                    self.evaluator.variables[name] = value
                    operator = "="
            except Refused as refused:
                why = str(refused)
                if not isinstance(refused, Unresolved):
                    why = f"'{shortened(self.source(node.value))}': {why}"
                value = self.evaluator.variables[name] = Unknown(why)
                operator = "="
            self.assignments.append(Assignment(node, name, node.value, value, operator))

    def choose(self, node):
        # The lines of all branches; those of the statements that count are taken back later.
        self.is_python(node, PYTHON)
        try:
            branch = node.body if self.evaluator.value(node.test) else node.orelse
        except Refused as refused:
            self.report.error(
                node.lineno,
                f"'{shortened(self.source(node.test))}' decides what is set, and cannot be told "
                f"({refused}): leave only the lines that hold",
            )
            return
        self.walk(branch)
