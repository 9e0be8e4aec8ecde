# SPDX-License-Identifier: GPL-2.0-or-later
"""Python's expressions, as far as configurations have them.

Nothing is executed: the nodes of the parsed expression are interpreted here, values are bounded,
and what is not foreseen is refused.
"""

import ast
import re

from messages import Refused, shortened

MOST_TEXT = 64 * 1024  # of a value, in characters or items

# dom0 of an x86 machine that runs a Xen of today.
UNAME = ("Linux", None, None, None, "x86_64")

COMPARISONS = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a == b,
    ast.IsNot: lambda a, b: a != b,
}


class Unresolved(Refused):
    """What is refused for a variable's sake says why the variable was."""


class Unknown:
    """The value of a variable that could not be evaluated: an error only where it is needed."""

    def __init__(self, why):
        self.why = why


def dotted(node):
    """os.path.exists as a string; None for what is no such name."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id] + names[::-1]) if isinstance(node, ast.Name) else None


def searched(pattern, text, anchored):
    """re.search, or re.match, for a pattern of plain characters between ^ and $."""
    if not re.fullmatch(r"\^?[\w ./-]*\$?", pattern):
        raise Refused(f"the pattern '{shortened(pattern)}' is not evaluated")
    begin, end = pattern.startswith("^") or anchored, pattern.endswith("$")
    plain = re.escape(pattern.lstrip("^").rstrip("$")).replace(r"\.", ".")
    found = re.search(("^" if begin else "") + plain + ("$" if end else ""), text)
    return found is not None


def formatted(text, values):
    """text % values, for %s and %d."""
    values = list(values) if isinstance(values, tuple) else [values]

    def one(match):
        if match[0] == "%%":
            return "%"
        if not values:
            raise Refused("more % than values")
        return match[0] % values.pop(0)

    if re.sub(r"%%|%0?[0-9]?[sd]", "", text).count("%"):
        raise Refused("only %s and %d are evaluated")
    return re.sub(r"%%|%0?[0-9]?[sd]", one, text)


class Evaluator:
    def __init__(self):
        self.variables = {}

    def value(self, node):
        """The expression's value; Refused, where it is none of those that are evaluated."""
        try:
            result = self.evaluate(node)
        except (TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
            raise Refused(f"Python would not evaluate it either: {error}") from None
        except RecursionError:
            raise Refused("it is nested too deeply") from None
        return result

    def evaluate(self, node):
        method = getattr(self, "of_" + type(node).__name__, None)
        if method is None:
            raise Refused("such code is not evaluated")
        result = method(node)
        if isinstance(result, (str, list, tuple)) and len(result) > MOST_TEXT:
            raise Refused("its value is too long")
        if isinstance(result, int) and abs(result) >= 1 << 63:
            raise Refused("its value is too large")
        return result

    def of_Constant(self, node):
        if not isinstance(node.value, (str, int, float, type(None))):
            raise Refused("neither text nor a number")
        return node.value

    def of_Name(self, node):
        if node.id not in self.variables:
            raise Refused(f"'{node.id}' has no value")
        value = self.variables[node.id]
        if isinstance(value, Unknown):
            raise Unresolved(value.why)
        return value

    def of_List(self, node):
        return [self.evaluate(item) for item in node.elts]

    def of_Tuple(self, node):
        return tuple(self.of_List(node))

    def of_UnaryOp(self, node):
        value = self.evaluate(node.operand)
        if isinstance(node.op, ast.Not):
            return not value
        if isinstance(node.op, ast.USub):
            return -value
        raise Refused("such code is not evaluated")

    def of_BinOp(self, node):
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return formatted(left, right)
        if numbers and isinstance(node.op, ast.Sub):
            return left - right
        if numbers and isinstance(node.op, ast.Mult):
            return left * right
        if numbers and isinstance(node.op, (ast.Div, ast.FloorDiv)):
            return left // right  # as Python 2 divided
        raise Refused("such code is not evaluated")

    def of_BoolOp(self, node):
        decides = isinstance(node.op, ast.Or)
        for part in node.values:
            value = self.evaluate(part)
            if bool(value) == decides:
                break
        return value

    def of_Compare(self, node):
        left = self.evaluate(node.left)
        for operator, right in zip(node.ops, node.comparators):
            right = self.evaluate(right)
            if not COMPARISONS[type(operator)](left, right):
                return False
            left = right
        return True

    def of_IfExp(self, node):
        return self.evaluate(node.body if self.evaluate(node.test) else node.orelse)

    def of_Subscript(self, node):
        index = self.evaluate(node.slice)
        value = self.evaluate(node.value)[index]
        if value is None:
            raise Refused("it depends on the machine")
        return value

    def of_Call(self, node):
        name = dotted(node.func)
        given = [self.evaluate(argument) for argument in node.args]
        texts = given and all(isinstance(argument, str) for argument in given)
        if not node.keywords:
            if name in ("os.uname", "uname") and not given:
                return UNAME
            if name == "platform.machine" and not given:
                return UNAME[4]
            if name in ("re.search", "re.match") and texts and len(given) == 2:
                return searched(*given, anchored=name == "re.match")
            if name in ("str", "int") and len(given) == 1 and isinstance(given[0], (str, int)):
                return str(given[0]) if name == "str" else int(given[0])
            if isinstance(node.func, ast.Attribute) and texts and len(given) == 1:
                text = self.evaluate(node.func.value)
                if isinstance(text, str) and node.func.attr in ("find", "startswith", "endswith"):
                    return getattr(text, node.func.attr)(given[0])
        raise Refused("such calls are not evaluated")
