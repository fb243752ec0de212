"""`make audit`: known holes in the libraries that constraints.txt pins.

The pins are compared with advisories.toml, a list with a date, and PyPI is asked for what it knows
of them by pip-audit. Exit codes: 0 nothing known, 1 something found, 3 nothing found, but not all
could be asked.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).parent.parent
FOUND, NOT_ASKED = 1, 3
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)")


@dataclass(frozen=True)
class Pin:
    """A library at a version; one library may have several, for several versions of Python."""

    name: str
    version: str


@dataclass(frozen=True)
class Finding:
    """A known hole in a pinned library."""

    pin: Pin
    advisory: str
    fixed: str

    def __str__(self) -> str:
        """One line."""
        mend = f"fixed in {self.fixed}" if self.fixed else "not fixed yet"
        return f"{self.pin.name} {self.pin.version}: {self.advisory}, {mend}"


def read_pins(text: str) -> list[Pin]:
    """The pins of a file of constraints."""
    found = (_PIN.match(line) for line in text.splitlines())
    return [Pin(one["name"].lower(), one["version"]) for one in found if one]


def below_the_list(pins: Sequence[Pin], listed: Mapping[str, Any]) -> Iterator[Finding]:
    """Pins that are older than the first version without a hole of the list."""
    for pin in pins:
        for advisory, fixed in listed["fixed"].get(pin.name, {}).items():
            if Version(pin.version) < Version(fixed):
                yield Finding(pin, advisory, fixed)


def answered(report: Mapping[str, Any], pins: Sequence[Pin]) -> tuple[list[Finding], list[Pin]]:
    """The findings in a report of pip-audit, and the pins of which it says nothing.

    It calls a library that the index does not know "skipped" and ends well.
    """
    known, findings = set[Pin](), list[Finding]()
    for one in report["dependencies"]:
        if "skip_reason" in one:
            continue
        pin = Pin(one["name"].lower(), one["version"])
        known.add(pin)
        for hole in one["vulns"]:
            findings.append(Finding(pin, hole["id"], ", ".join(hole["fix_versions"])))
    return findings, [pin for pin in pins if pin not in known]


def ask(pip_audit: Path, constraints: Path) -> Mapping[str, Any] | None:
    """The report of pip-audit; None if it is not there, or reaches no service."""
    command = [str(pip_audit), "--requirement", str(constraints), "--no-deps", "--disable-pip",
               "--format", "json", "--progress-spinner", "off"]  # fmt: skip
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        report: Mapping[str, Any] = json.loads(ran.stdout)
    except (OSError, ValueError):
        return None
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is known, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--constraints", type=Path, default=ROOT / "constraints.txt")
    parser.add_argument("--list", type=Path, default=Path(__file__).with_name("advisories.toml"))
    parser.add_argument("--pip-audit", type=Path, default=Path("pip-audit"))
    given = parser.parse_args(arguments)
    pins = read_pins(given.constraints.read_text(encoding="utf-8"))
    listed = tomllib.loads(given.list.read_text(encoding="utf-8"))
    report = ask(given.pip_audit, given.constraints)
    asked, unknown = answered(report, pins) if report else ([], pins)
    found = {*below_the_list(pins, listed), *asked}
    holes = sorted(map(str, (one for one in found if one.advisory not in listed["accepted"])))
    count = sum(map(len, listed["fixed"].values()))
    print(f"{len(pins)} pins, {count} advisories of the list of {listed['checked']}")
    print(f"PyPI was asked for {len(pins) - len(unknown)} of them")
    print("\n".join(holes) or "no known hole")
    if holes:
        return FOUND
    if unknown:
        print("not all could be asked: the list alone is no proof", file=sys.stderr)
        return NOT_ASKED
    return 0


if __name__ == "__main__":
    sys.exit(main())
