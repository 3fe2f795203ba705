"""Every error answers two questions: whose fault, and is it worth trying again?

::

    HubError                    code: stable text, e.g. "sender.malformed"
    ├─ Rejected                 the sender must correct and resend
    │  ├─ MalformedMessage      line, column, offset where the reader stopped
    │  ├─ UnknownFormat         what the bytes looked like, which formats came near
    │  ├─ InvalidIdentifier     one identifier, its value, the remedy
    │  └─ InvalidConsignment    carries the list of findings
    ├─ Unavailable              later may work
    │  ├─ StoreUnavailable      database or log
    │  └─ ReceiverUnavailable   time-out, 429, 5xx
    ├─ Refused                  the receiver said no for good (other 4xx, certificate)
    └─ Misconfigured            ours: settings, policy, code list; fails at start, never per message
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.model.findings import Finding


class HubError(Exception):
    """Base of all errors of the hub; ``code`` is stable text for logs, answers and alerts."""

    code: str = "hub.error"


class Rejected(HubError):
    """The sender must correct the message and send it again."""

    code = "sender.rejected"


class MalformedMessage(Rejected):
    """The bytes are not a well-formed message of their format.

    ``line`` and ``column`` are 1-based where known, ``offset`` is in bytes.
    """

    code = "sender.malformed"

    def __init__(
        self,
        message: str,
        *,
        code: str = "MSG-SYNTAX",
        path: str = "",
        value: str | None = None,
        remedy: str = "Correct the message and send it again.",
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message)
        self.finding_code = code
        self.path = path
        self.value = value
        self.remedy = remedy
        self.line = line
        self.column = column


class UnknownFormat(Rejected):
    """No reader recognises the bytes; the message says which formats came near and why not."""

    code = "sender.unknown_format"


class InvalidIdentifier(Rejected):
    """An identifier breaks its own rule.

    ``code`` names the rule (``S10-CHECK``), ``remedy`` says what the sender can do.
    """

    def __init__(self, code: str, value: str, remedy: str) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.value = value
        self.remedy = remedy


class InvalidConsignment(Rejected):
    """The law or the format forbids this consignment; ``findings`` holds every reason."""

    code = "sender.invalid"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f.code for f in findings))
        self.findings = tuple(findings)


class Unavailable(HubError):
    """Nobody's message is at fault; the same call may work later."""

    code = "hub.unavailable"


class StoreUnavailable(Unavailable):
    """The database or the log does not answer."""

    code = "store.unavailable"


class ReceiverUnavailable(Unavailable):
    """A partner's endpoint timed out, answered 429 or a 5xx, or could not be reached.

    ``retry_after_seconds`` is the partner's own wish where it gave one.
    """

    code = "receiver.unavailable"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Refused(HubError):
    """The receiver said no for good: another 4xx, a certificate, a forbidden address."""

    code = "receiver.refused"


class Misconfigured(HubError):
    """Ours: a setting, a policy, a code list. Raised at start, never per message."""

    code = "hub.misconfigured"
