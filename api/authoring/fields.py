"""Takes a mapping of an author's file apart field by field, and reports what does not fit.

Every key must be taken by name: what is left over is unknown, and said so. Reading goes on after
a problem, so that an author sees all of them at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from api.authoring.source import Mapping, Sequence
from ledger.rules.lint import Where

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HUNDREDTHS_MAX = 10_000_000
_TEXT_MAX = 400


class Problem(NamedTuple):
    """What is wrong on a line."""

    line: int
    code: str
    reason: str


@dataclass(slots=True)
class Report:
    """Problems, the source line of each place of the canonical form, and texts for people."""

    problems: list[Problem] = field(default_factory=list)
    lines: dict[Where, int] = field(default_factory=dict)
    notes: list[dict[str, str]] = field(default_factory=list)


class Fields:
    """One mapping; `what` is how messages call it, `where` its place in the canonical form."""

    def __init__(self, report: Report, raw: Mapping, what: str, where: Where = ()) -> None:
        self.report, self.raw, self.what, self.where = report, raw, what, where
        self._taken: set[str] = set()
        report.lines.setdefault(where, raw.line)

    def has(self, key: str) -> bool:
        """Tell whether the key is there with a value (null stands for "none")."""
        return self.raw.get(key) is not None

    def fail(self, key: str | None, code: str, reason: str) -> None:
        """Report a problem at a key, or at the mapping."""
        line = self.raw.lines.get(key or "", self.raw.line)
        self.report.problems.append(Problem(line, code, f"{self.what}: {reason}"))

    def take(self, key: str, *, needed: bool = False, to: str | None = None) -> Any:
        """Return the raw value of a key, None where it is absent; `to` is its canonical name."""
        self._taken.add(key)
        value = self.raw.get(key)
        if value is None:
            if needed:
                self.fail(key, "key-missing", f"{key} is missing")
            return None
        self.report.lines[(*self.where, to or key)] = self.raw.lines[key]
        return value

    def text(self, key: str, *, needed: bool = False, to: str | None = None) -> str | None:
        """Return a text of at most 400 characters."""
        value = self.take(key, needed=needed, to=to)
        if value is None:
            return None
        if isinstance(value, Decimal):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            self.fail(key, "text", f"{key} is no text")
            return None
        if len(value) > _TEXT_MAX:
            self.fail(key, "text", f"{key} is longer than {_TEXT_MAX} characters")
            return None
        return value

    def code(self, key: str, *, needed: bool = False, to: str | None = None) -> str | None:
        """Return a code: letters, digits, dot, dash, underscore."""
        value = self.text(key, needed=needed, to=to)
        return None if value is None else self._code(key, value)

    def one_of(self, key: str, known: tuple[str, ...], default: str | None = None) -> str | None:
        """Return one of the known words."""
        value = self.text(key, needed=default is None)
        if value is not None and value not in known:
            self.fail(key, "value-unknown", f"{key} {value!r} is none of {', '.join(known)}")
            return default
        return value or default

    def matching(self, key: str, pattern: str, says: str, *, needed: bool = False) -> str | None:
        """Return a text that fits a pattern."""
        value = self.text(key, needed=needed)
        if value is not None and not re.fullmatch(pattern, value):
            self.fail(key, "text", f"{key} {value!r} is no {says}")
            return None
        return value

    def codes(self, key: str) -> list[str]:
        """Return a list of codes, perhaps empty."""
        return [code for each in self.sequence(key) if (code := self._code(key, each)) is not None]

    def hundredths(
        self, key: str, *, least: int = 1, needed: bool = False, to: str | None = None
    ) -> int | None:
        """Return points with at most two decimals as hundredths."""
        value = self.take(key, needed=needed, to=to)
        return None if value is None else self._hundredths(key, value, least)

    def points_of(self, key: str, *, least: int = 1) -> dict[str, int]:
        """Return a mapping of codes to points, in hundredths."""
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fail(key, "mapping", f"{key} maps codes to points")
            return {}
        found = {}
        for name, points in value.items():
            if self._code(key, name) is None or points is None:
                continue
            hundredths = self._hundredths(key, points, least, value.lines[name], f"{key} {name}")
            if hundredths is not None:
                found[name] = hundredths
        return found

    def integer(
        self, key: str, least: int, most: int, *, needed: bool = False, to: str | None = None
    ) -> int | None:
        """Return a whole number within bounds."""
        value = self.take(key, needed=needed, to=to)
        if value is None:
            return None
        if not isinstance(value, Decimal) or value != int(value) or not least <= value <= most:
            self.fail(key, "integer", f"{key} {value} is no whole number from {least} to {most}")
            return None
        return int(value)

    def boolean(self, key: str) -> bool | None:
        """Return true or false."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.fail(key, "boolean", f"{key} is true or false")
            return None
        return value

    def fields(self, key: str, what: str | None = None, to: str | None = None) -> Fields | None:
        """Return a mapping within this one, to be taken apart."""
        value = self.take(key, to=to)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fail(key, "mapping", f"{key} is a mapping of keys to values")
            return None
        return Fields(self.report, value, what or key, (*self.where, to or key))

    def sequence(self, key: str, *, needed: bool = False) -> Sequence:
        """Return a list, empty where there is none."""
        value = self.take(key, needed=needed)
        if value is None:
            return Sequence()
        if not isinstance(value, Sequence):
            self.fail(key, "list", f"{key} is a list")
            return Sequence()
        return value

    def each(self, key: str, what: str, to: str | None = None) -> list[Fields]:
        """Return the mappings of a list."""
        found: list[Fields] = []
        for value in self.sequence(key):
            if isinstance(value, Mapping):
                where = (*self.where, to or key, len(found))
                self.report.lines[where] = value.line
                found.append(Fields(self.report, value, what, where))
            else:
                self.fail(key, "mapping", f"{key}: {value!r} is no mapping of keys to values")
        return found

    def note(self, *keys: str) -> None:
        """Take texts that are for people only: they are kept as notes, and nothing reads them."""
        for key in keys:
            value = self.take(key)
            texts = value if isinstance(value, Sequence) else [] if value is None else [value]
            about = f"{self.what}.{key}" if self.where or self.what != "rulebook" else key
            for each in texts:
                if isinstance(each, str) and 0 < len(each) <= _TEXT_MAX:
                    self.report.notes.append({"about": about, "text": each})
                else:
                    self.fail(key, "text", f"{key}: {each!r} is no text of 400 characters")

    def done(self) -> None:
        """Report every key that was not taken."""
        for key in self.raw:
            if key not in self._taken:
                self.fail(key, "key-unknown", f"key {key} is unknown here")

    def _code(self, key: str, value: object) -> str | None:
        if not isinstance(value, str) or not CODE.fullmatch(value):
            reason = f"{value!r} is no code: letters, digits, dot, dash, underscore"
            self.fail(key, "code", f"{key} {reason}")
            return None
        return value

    def _hundredths(
        self, key: str, value: object, least: int, line: int | None = None, name: str = ""
    ) -> int | None:
        name = name or key
        if not isinstance(value, Decimal):
            reason, code = f"{name} {value!r} is no number", "number"
        elif value * 100 != int(value * 100):
            reason, code = f"{name} {value} has more than two decimal places", "decimals"
        elif not least <= value * 100 <= _HUNDREDTHS_MAX:
            reason, code = f"{name} {value} is too small or too large", "points"
        else:
            return int(value * 100)
        at = line or self.raw.lines.get(key, self.raw.line)
        self.report.problems.append(Problem(at, code, f"{self.what}: {reason}"))
        return None
