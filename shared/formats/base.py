"""What every format module has in common: the protocol, what is known of bytes before they are read, and what comes out.

A format is a module of this package with ``NAME``, ``TITLE``, ``CONTENT_TYPES``, ``VERSIONS``, ``SOURCE``, ``CERTAINTY``. One that reads
has ``recognise``, ``parse`` and ``PATHS``; one that writes has ``render``. Many have both, then ``parse(render(x)) == x`` is one test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from shared.model import Dialect, Filing, Finding, MessageHead, RawMessage, Rejection

if TYPE_CHECKING:
    from shared.contracts import Answer, Notice

Certainty = Literal["published", "inferred", "reconstructed"]
"""How sure the layout is: a public text, read off working software, or our own profile."""

BODY_LIMIT = 5 * 1024 * 1024
"""Bytes of one message."""

ANYTHING: Final = "application/octet-stream"
"""The media type of bytes of which their sender says nothing."""
ITEM_LIMIT = 10_000
"""Items of one message."""

ANSWER_LIMIT: Final = 1024 * 1024
"""Bytes of an acknowledgement: it lies in feeds and mailboxes beside small notices."""


class Likeness(NamedTuple):
    """How much bytes look like a format: 0 not at all, 1 certainly; ``why`` says what speaks for it or what is missing."""

    degree: float
    why: str


UNLIKE = Likeness(0.0, "")


class Sketch(NamedTuple):
    """What one look at the first bytes tells, for all formats at once.

    ``kind`` is the syntax. XML: ``root`` is the local name of the document element and ``namespace`` its namespace;
    of a SOAP envelope and of WCO ``MetaData`` ``keys`` are the local names of the elements seen in the head. JSON: ``keys`` are
    those of the outermost object (or of the first object of an outermost array) seen in the head. CSV: ``keys`` are the lower-case names
    of the header row; ``text`` are lines that might be a table, but have none. EDIFACT: ``root`` is the type of the first message,
    ``namespace`` its association code, ``keys`` its version (``D:95B``). Cargo-IMP: ``root`` is the type of the first message.
    Anything else: ``root`` says in words what it is, where that is known.
    """

    kind: Literal["xml", "json", "csv", "text", "edifact", "cargo-imp", "workbook", "other"]
    root: str = ""
    namespace: str = ""
    keys: frozenset[str] = frozenset()


class Parsed:
    """One message after its whole was judged: ``head`` at once, the items one by one as they are asked for.

    Iterating costs the work of one item each time, so a reader of a large file may pause between any two. A message refused as a whole
    never becomes ``Parsed``: ``parse`` raises :class:`shared.errors.MalformedMessage`.
    """

    __slots__ = ("count", "head", "items")

    def __init__(self, head: MessageHead, items: Iterable[Filing | Answer | Rejection], count: int) -> None:
        self.head = head
        self.items = items
        self.count = count

    def __iter__(self) -> Iterator[Filing | Answer | Rejection]:
        return iter(self.items)


@runtime_checkable
class Format(Protocol):
    """What every module of the list says of itself. ``TITLE`` is one line for people; ``SOURCE`` names where the layout comes from."""

    NAME: str
    TITLE: str
    CONTENT_TYPES: tuple[str, ...]
    VERSIONS: tuple[str, ...]
    SOURCE: str
    CERTAINTY: Certainty


@runtime_checkable
class Reader(Format, Protocol):
    """A format that can be read.

    ``PATHS`` maps dataset paths (``/consignment/goods_items/*/hs_code`` and the like, without the first part) to the sender's own names;
    it is the table behind provenance and behind the ``sender_path`` of findings.
    """

    PATHS: Mapping[str, str]

    def recognise(self, sketch: Sketch) -> Likeness:
        """Say how much the bytes look like this format."""
        ...

    def parse(self, raw: RawMessage, dialect: Dialect) -> Parsed:
        """Read the message. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
        ...


@runtime_checkable
class Tabular(Reader, Protocol):
    """A format that reads tables: the names its header row may hold, and those without which no row is taken."""

    COLUMNS: frozenset[str]
    MANDATORY: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a written message says of itself: who writes to whom, when, under which number. Codes are those the receiver knows."""

    message_id: str
    sender: str
    recipient: str
    prepared_at: datetime
    test: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A message as bytes, with everything the format could not carry: nothing is cut in silence. ``paths`` in the findings are dataset
    paths.

    A finding of severity ``error`` means that the item it names is not in the message.
    """

    body: bytes
    findings: tuple[Finding, ...] = ()


@runtime_checkable
class FilingWriter(Format, Protocol):
    """A format in which filings can be written: corrections to partners, filings to authorities, conversion."""

    def write(self, filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
        """Write *filings* as one message, in order; the same arguments always give the same bytes.

        A filing that is not in the message has a finding of severity ``error`` that names its key; where none is in it, there is no
        message: the body is empty.
        """
        ...


class Taken(NamedTuple):
    """What became of one item of a message: where it stands, its key, whether it was refused, what was found."""

    position: str | None
    key: str | None
    refused: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was read to its end, as its acknowledgement needs it.

    ``id`` follows from the sender and the bytes. ``head`` is None when the message was refused as a whole: then ``refusal`` says why.
    """

    id: UUID
    raw: RawMessage
    head: MessageHead | None
    taken: tuple[Taken, ...] = ()
    refusal: tuple[Finding, ...] = ()


@runtime_checkable
class Acknowledging(Format, Protocol):
    """A format in which a message as a whole is acknowledged or refused. A module whose messages are answered so names it in
    ``ACKNOWLEDGED_BY``."""

    def acknowledge(self, received: Received, dialect: Dialect) -> bytes | None:
        """Write the answer to *received*, dated with the receipt; the same message always gives the same bytes. None when it must not be
        answered."""
        ...


@runtime_checkable
class Writer(Format, Protocol):
    """A format that can be written."""

    def render(self, notices: Sequence[Notice], dialect: Dialect) -> bytes:
        """Write *notices* as one message; the same notices always give the same bytes."""
        ...
