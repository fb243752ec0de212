"""One family of errors: what was found, what was wanted, what to do next.

    CloudfreeError
    ├── InputError      a scene, mask or option that cannot be used as it is
    │   └── DamagedError    a file of the right kind that is not whole
    ├── ModelError      a model, card or checkpoint that cannot be used as it is
    └── OutputError     a result that cannot be written where it was asked for

The library raises these; only the command line prints them and exits.
"""

from __future__ import annotations


class CloudfreeError(Exception):
    """A refusal that a user can act on.

    The text reads `found; wanted ...; next step`, on one line.
    """

    def __init__(self, found: str, *, wanted: str, hint: str) -> None:
        self.found = found
        self.wanted = wanted
        self.hint = hint
        super().__init__(f"{found}; wanted {wanted}; {hint}")


class InputError(CloudfreeError):
    """A scene, mask or option cannot be used as it is."""


class DamagedError(InputError):
    """An input is what it should be, but not whole."""


class ModelError(CloudfreeError):
    """A model, its card or its weights cannot be used as they are."""


class OutputError(CloudfreeError):
    """A result cannot be written where it was asked for."""
