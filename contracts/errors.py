"""The tree of errors a person may meet.

WangxunError                 anything that ends in one clear line for a person
├── UsageError               the words of the command or a setting are wrong          exit 2
├── InputError               a file, URL or row cannot be used                        exit 2
├── EnvironmentFault         this machine lacks something (browser, disk, database)   exit 2
├── NotAllowed               the officer may not do this, or not in this state        exit 2
└── Unverifiable             the thing judged is wrong (verify, lint, codes)          exit 1

The message is a Chinese template with named fields; it is also the key into the translation catalogue,
so that the same error reads in English without the raising module knowing about languages.
"""

from __future__ import annotations

from collections.abc import Callable


class WangxunError(Exception):
    """What went wrong (`message`), where (`params`), and what to do next (`hint`)."""

    exit_status = 2

    def __init__(self, message: str, *, hint: str = "", **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.params = params

    def text(self, translate: Callable[[str], str] = str) -> str:
        """One line, without a line break, in the language of `translate`."""
        parts = [translate(self.message).format(**self.params)]
        if self.hint:
            parts.append(translate(self.hint).format(**self.params))
        return " — ".join(parts).replace("\n", " ")

    def __str__(self) -> str:
        return self.text()


class UsageError(WangxunError):
    """The command line or the settings cannot be understood."""


class InputError(WangxunError):
    """A file, URL or row given by a person cannot be used."""


class EnvironmentFault(WangxunError):
    """This machine lacks something the work needs."""


class NotAllowed(WangxunError):
    """The officer's role, area or the state of the thing forbids this act."""


class Unverifiable(WangxunError):
    """The judged thing does not hold: a digest, a signature, a rule file, a code."""

    exit_status = 1
