# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said to the user, and about which line."""

import sys


class Refused(Exception):
    """Why the file, or a value in it, cannot be used."""


class Report:
    """Warnings and errors with the lines they are about."""

    def __init__(self, name):
        self.name = name
        self.said = []
        self.errors = 0

    def warn(self, line, text):
        self.said.append((line, "warning: " + text))

    def error(self, line, text):
        self.errors += 1
        self.said.append((line, "error: " + text))

    def show(self):
        for line, text in sorted(self.said, key=lambda said: said[0]):
            where = f"{self.name}:{line}" if line else self.name
            # Text from the file may hold anything.
            print(f"{where}: {printable(text)}", file=sys.stderr)

    def status(self):
        return 2 if self.errors else 1 if self.said else 0


def printable(text):
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def shortened(text):
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
