"""Files of the postal XML profiles: the header they share, its control count, and the writing of both.

``<XxxFile xmlns="urn:hub:postal:xxx:1" version="1.0"><Header>…</Header>`` and then units (items, referrals, replies, dispatches, events).
A reader takes any prefix, a namespace on every leaf, and leaves without one; another version of the namespace is read as version 1 and
marked. A file is refused as a whole when it cannot be read, when a mandatory header field is missing or when ``ItemCount`` is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from shared.contracts import Answer
from shared.errors import MalformedMessage
from shared.formats import values, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Envelope, Likeness, Sketch
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.outlines import Outlines
from shared.formats.rules import finding
from shared.formats.xml_places import Tree
from shared.formats.xml_writing import text
from shared.model import Dialect, Filing, Finding, MessageHead, RawMessage, Rejection

HEADER: Final = ("FileId", "MessageType", "SenderOrgCd", "RecipientOrgCd", "PreparedDt", "TestInd", "ItemCount")
VERSIONS: Final[tuple[str, ...]] = ("1.0",)
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml")
V = TypeVar("V")
_OPTIONAL: Final = frozenset({"FileId", "TestInd"})


class Profile(NamedTuple):
    """One message of the family. ``unit`` is the element that repeats; ``family`` the namespace without its version."""

    format: str
    message_type: str
    root: str
    unit: str

    @property
    def family(self) -> str:
        return f"urn:hub:postal:{self.message_type.lower()}:"

    @property
    def namespace(self) -> str:
        return self.family + "1"


class File(NamedTuple):
    """A file whose header is sound: its units are still elements, with names in ``namespace``."""

    namespace: str
    head: MessageHead
    header: Mapping[str, str]
    units: Sequence[xml.Element]
    version: str | None
    """The version, where it is not one of the list."""


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def recognise(profile: Profile, sketch: Sketch) -> Likeness:
    """An XML document with the profile's root, in its namespace (any version) or in none."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root != profile.root:
        return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not {profile.root}")
    if sketch.namespace and not sketch.namespace.startswith(profile.family):
        return Likeness(0.8, f"root {profile.root}, but in the namespace {sketch.namespace} and not {profile.namespace}")
    return Likeness(1.0, f"root {profile.root}")


def open_file(profile: Profile, raw: RawMessage, dialect: Dialect, count: Callable[[list[xml.Element]], int] = len) -> File:
    """Parse a file and judge its header. *count* says how many things of ``ItemCount`` the units hold.

    Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole.
    """
    root, bared = _known(profile).read(raw.body, dialect.encoding)
    namespace, _, name = root.tag.rpartition("}")
    if name != profile.root:
        raise xml.malformed("MSG-SYNTAX", f"The document element is {name}, not {profile.root}.", path=name)
    namespace = namespace.removeprefix("{")
    heads: list[xml.Element] = list(root.iterchildren(*_either(namespace, "Header")))
    units: list[xml.Element] = list(root.iterchildren(*_either(namespace, profile.unit)))
    header = _header(profile, heads, namespace)
    _check_count(profile, root, header, len(units), count(units))
    said, told = root.get("version", "1.0"), bared or namespace
    version = None if said in VERSIONS and told in ("", profile.namespace) else f"{told} {said}"[:100]
    return File(namespace, _head(profile, header, raw), header, units, version)


@cache
def _known(profile: Profile) -> Outlines:
    return Outlines(profile.unit)


@lru_cache(maxsize=xml.SPELLINGS)
def _either(namespace: str, name: str) -> tuple[str, ...]:
    return (xml.qualified(namespace, name), name) if namespace else (name,)


def qualified(namespaces: Iterable[str], table: Mapping[str, V]) -> dict[str, V]:
    """Return *table* by qualified name, for each of *namespaces*."""
    return {xml.qualified(namespace, name): value for namespace in namespaces for name, value in table.items()}


def shape(
    namespace: str,
    leaves: Mapping[str, tuple[int, str]],
    inner: Mapping[str, xml.Shape] | None = None,
    marked: Iterable[str] = (),
    opens: int = -1,
) -> xml.Shape:
    """Return a walker's table by qualified name, in *namespace* and in none."""
    spaces = {namespace, ""}
    return xml.Shape(qualified(spaces, leaves), qualified(spaces, {name: name for name in marked}), qualified(spaces, inner or {}), opens)


def plain(names: Iterable[str], part: int = 0) -> dict[str, tuple[int, str]]:
    """Return leaves that keep their own names."""
    return {name: (part, name) for name in names}


@lru_cache(maxsize=xml.SPELLINGS)
def _header_shape(namespace: str) -> xml.Shape:
    return shape(namespace, plain(HEADER))


def _header(profile: Profile, heads: Sequence[xml.Element], namespace: str) -> dict[str, str]:
    if not heads:
        raise xml.malformed("MSG-HEAD", "The file has no Header.", path="Header")
    header = xml.walk(heads[0], _header_shape(namespace), 1).parts[0]
    for name in HEADER:
        if name not in header and name not in _OPTIONAL:
            raise xml.malformed("MSG-HEAD", f"Header/{name} is missing.", path=f"Header/{name}")
    if header["MessageType"] != profile.message_type:
        raise xml.malformed("MSG-HEAD", path="Header/MessageType", value=header["MessageType"])
    return header


def _told(root: xml.Element) -> str | None:
    """Return what a file without units says instead: errors of the file it answers."""
    errors = [f"{error.get('code', '')} {error.text or ''}".strip() for error in root.iterchildren("{*}FileError")]
    return f"The file holds no item, but errors: {'; '.join(errors)[:400]}" if errors else None


def _check_count(profile: Profile, root: xml.Element, header: Mapping[str, str], units: int, count: int) -> None:
    if not units:
        raise xml.malformed("MSG-NO-ITEMS", _told(root), path=profile.unit)
    if max(units, count) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=profile.unit, value=str(count))
    declared = header["ItemCount"]
    if values.whole_number(declared) != str(count):
        raise xml.malformed(
            "MSG-COUNT", f"Header/ItemCount says {declared[:20]}, the file has {count}.", path="Header/ItemCount", value=declared[:20]
        )


def _head(profile: Profile, header: Mapping[str, str], raw: RawMessage) -> MessageHead:
    prepared = values.instant(header["PreparedDt"])
    try:
        prepared_at = datetime.fromisoformat(prepared) if prepared else None
    except ValueError:
        prepared_at = None
    if prepared_at is None:
        raise xml.malformed(
            "MSG-HEAD", "Header/PreparedDt is no date-time with offset.", path="Header/PreparedDt", value=header["PreparedDt"][:40]
        )
    file_id = header.get("FileId") or message_id_of(raw.body)
    if len(file_id) > 100:
        raise xml.malformed("MSG-HEAD", "Header/FileId is longer than 35 characters.", path="Header/FileId", value=file_id[:100])
    return MessageHead(profile.format, file_id, prepared_at, "original", header.get("TestInd", "").lower() in ("true", "1"))


Outcomes = Iterable[Filing | Answer | Rejection]


def each_unit(
    profile: Profile,
    file: File,
    raw: RawMessage,
    dialect: Dialect,
    table: Mapping[str, str],
    shape: xml.Shape,
    parts: Sequence[str],
    read: Callable[[Any, xml.Record, Item], Outcomes],
) -> Iterator[Filing | Answer | Rejection]:
    """Read the units one after the other; what is wrong with one stays with it.

    *parts* names the records of *shape*: the dataset path before each, or ``~`` for what has none. *read* gets the unit, of which it may
    ask for attributes (``get``).
    """
    source = Tree(raw.body, dialect.encoding)
    for number, unit in enumerate(file.units, 1):
        item = Item(f"{profile.unit}[{number}]", table, dialect, element=unit, source=source)
        if file.version is not None:
            item.note("MSG-VERSION", value=file.version)
        try:
            record = xml.walk(unit, shape, len(parts))
            if record.repeated or record.unknown:
                misfits(record, parts, item)
            yield from read(unit, record, item)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, file.head, raw)


def misfits(record: xml.Record, parts: Sequence[str], item: Item) -> None:
    """What the walk could not place: a field twice (which one is true?), a field nobody knows."""
    for part, number, name in record.repeated:
        prefix = parts[part]
        if name[0] == "~" and prefix[:1] == "~":
            item.note("FLD-REPEATED", at=f"{item.position}/…/{name[1:]}")
        elif prefix.endswith("*"):
            item.note("FLD-REPEATED", f"{prefix[:-1]}{number - 1}/{name}")
        else:
            item.note("FLD-REPEATED", f"{prefix}/{name}")
    for name in record.unknown[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/…/{name}")


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def write_file(profile: Profile, envelope: Envelope, units: Sequence[str], count: int, before: str = "") -> bytes:
    """Return a whole file; *units* are written already, *before* stands between header and units."""
    test = "<TestInd>true</TestInd>" if envelope.test else ""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{profile.root} xmlns="{profile.namespace}" version="1.0"><Header><FileId>{text(envelope.message_id)}</FileId>'
        f"<MessageType>{profile.message_type}</MessageType><SenderOrgCd>{text(envelope.sender)}</SenderOrgCd>"
        f"<RecipientOrgCd>{text(envelope.recipient)}</RecipientOrgCd><PreparedDt>{envelope.prepared_at.isoformat()}</PreparedDt>"
        f"{test}<ItemCount>{count}</ItemCount></Header>{before}"
    )
    return "".join([head, *units, f"</{profile.root}>\n"]).encode()


class Sheet:
    """The findings of one filing while it is written."""

    __slots__ = ("dialect", "findings", "key")

    def __init__(self, key: str, dialect: Dialect) -> None:
        self.key = key
        self.dialect = dialect
        self.findings: list[Finding] = []

    def note(self, code: str, path: str, value: object = None, message: str | None = None) -> None:
        """Add the finding *code* about the dataset path *path*."""
        made = finding(code, self.dialect, path=path, sender_path=self.key, value=value, message=message)
        if made is not None:
            self.findings.append(made)

    def fit(self, value: str, limit: int, path: str) -> str:
        """Return *value*, cut at *limit* characters with a finding."""
        if len(value) <= limit:
            return value
        self.note("WRITE-CUT", path, value, f"The text has {len(value)} characters, the receiver's field {limit}; the rest was cut off.")
        return value[:limit].rstrip()
