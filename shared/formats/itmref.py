"""ITMREF, XML hub profile ``urn:hub:postal:itmref:1``: an authority asks about an item, or stops it, before it is loaded.

Read, each ``Referral`` becomes an answer on the pre-loading track, and one more for each receptacle it names. Written from notices:

====================================  ==============================================================================================
notice                                referral
====================================  ==============================================================================================
an authority's open referral          its own ``RFI``, ``RFS`` or ``DNL``, under its own id (who replies names it), until it is answered
any other referral                    ``RFI`` with a ``RequestedElement`` for each value asked for
a refused item                        ``ERR`` with the elements found wrong
accepted, but data are missing        ``INC`` with the elements that are missing
released                              ``ASC``: what every body let go may be loaded
====================================  ==============================================================================================

Nothing else is written: a hold says nothing of loading, and only an authority's own word is passed on as *do not load*. Where no notice
has anything to say there is no message (no bytes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.contracts import TYPE_OF, Answer, ConsignmentAccepted, FilingRejected, Notice, Outcome
from shared.formats import cusrsp, postal_files, xml
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.formats.postal_answers import Asked, referrals
from shared.formats.postal_files import Profile, each_unit, open_file, plain, shape
from shared.formats.xml_writing import attribute, leaf, text
from shared.model import Dialect, RawMessage, Rejection

NAME: Final = "itmref"
TITLE: Final = "ITMREF referral before loading, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "message and types by public names; profile urn:hub:postal:itmref:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "ITMREF", "ItmrefFile", "Referral")

_REFERRAL: Final = ("ReferralId", "TypeCd", "AuthorityCd", "AuthorityCountryCd", "SupersedesId", "IssuedDt", "ReplyByDt", "Text")
_ITEM: Final = ("PostingDt", "OrigPostOrgCd", "DestPostOrgCd", "ItemVersion")
_CONTACT: Final = ("Phone", "Email", "phone", "email")
_KEPT: Final = ("AuthorityCd", "AuthorityCountryCd", "SupersedesId")

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {f"/{name}": name for name in _REFERRAL}
    | {f"/{name}": f"ItemRef/{name}" for name in _ITEM}
    | {"/house_transport_document_id": "ItemRef/Id", "/ContactPoint": "ContactPoint"}
    | {"/referral_id": "ReferralId", "/answer_id": "ReferralId", "/issued_at": "IssuedDt", "/due_at": "ReplyByDt", "/raw_code": "TypeCd"}
    | {"/note": "Text", "/version_judged": "ItemRef/ItemVersion"}
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    item = shape(namespace, {"Id": (0, "house_transport_document_id"), **plain(_ITEM)})
    contact = shape(namespace, {name: (0, f"Contact{name.title()}") for name in _CONTACT})
    marked = ("ReceptacleRef", "RequestedElement", "ScreeningInstruction", "ContactPoint")
    return shape(namespace, plain(_REFERRAL), {"ItemRef": item, "ContactPoint": contact}, marked)


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``ItmrefFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an ITMREF file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)

    def read(_: xml.Element, record: xml.Record, item: Item) -> Iterator[Answer | Rejection]:
        said = record.parts[0]
        extra: dict[str, str] = {name: said[name] for name in _KEPT if name in said}
        contact = [said[name] for name in ("ContactPhone", "ContactEmail") if name in said]
        receptacles: list[str] = []
        asked: list[Asked] = []
        screenings = 0
        for key, content, attributes in record.marked:
            if key == "ReceptacleRef" and content:
                receptacles.append(content)
            elif key == "RequestedElement":
                asked.append(Asked(content, attributes.get("reason", ""), attributes.get("index", "")))
            elif key == "ScreeningInstruction":
                screenings += 1
                extra[f"ScreeningInstruction[{screenings}]"] = " ".join(each for each in (attributes.get("methodCd", ""), content) if each)
            elif key == "ContactPoint":
                contact += [each for each in (content, attributes.get("phone", ""), attributes.get("email", "")) if each]
        if contact:
            extra["ContactPoint"] = " ".join(contact)
        yield from referrals(said, receptacles, asked, item, file.head, raw, extra)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), ("",), read), len(file.units))


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]
_ACCEPTED: Final = TYPE_OF[ConsignmentAccepted]


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write what *notices* say of loading as one file; the same notices always give the same bytes. *notices* must not be empty.

    The authority's country is the destination of the item; its code is the dialect's ``code_maps["authority"]`` of that country, else
    the hub's own.
    """
    referrals = [_referral(notice, question, dialect) for notice in notices for question in questions(notice)]
    if not referrals:
        return b""
    first = notices[0]
    envelope = Envelope(cusrsp.file_id(notices), cusrsp.SENDER, first.participant, max(notice.at for notice in notices))
    return postal_files.write_file(PROFILE, envelope, referrals, len(referrals))


def referral_type(notice: Notice) -> str | None:
    """Return the referral that a notice about an item is, besides those of authorities, or None when it says nothing of loading."""
    if notice.type == _REJECTED:
        return "ERR"
    if notice.type == _ACCEPTED:
        return "INC" if notice.missing else None
    return {Outcome.REFERRAL: "RFI", Outcome.RELEASE: "ASC"}.get(notice.outcome) if notice.outcome else None


class Question(NamedTuple):
    """One referral to write: its type and id, by when and about what; ``elements`` are ITMATT's names with index (1-based, or an empty
    text) and reason."""

    type: str
    referral_id: str
    due_at: datetime | None
    elements: list[tuple[str, str, str]]
    contact: str | None = None


def questions(notice: Notice) -> Iterator[Question]:
    """Yield the referrals that *notice* is: those of authorities, then what the hub itself asks for."""
    if not notice.key.startswith("post:"):
        return
    own = cusrsp.response_id(notice.notice_id)
    asked = notice.referrals or ()
    for number, one in enumerate(asked, 1):
        if not one.answered:
            elements = [_element(path, "VAGUE") for path in one.requested or ()]
            yield Question(one.type, one.referral_id or f"{own}-{number}", one.due_at, elements, one.contact)
    kind = referral_type(notice)
    if kind is None:
        return
    told = {path for one in asked for path in one.requested or ()}
    elements = [_element(path, reason) for path, reason in requested_paths(notice).items() if path not in told]
    if elements or not asked or kind != "RFI":
        yield Question(kind, own, notice.answer_due_at if kind == "RFI" and not asked else None, elements)


def _referral(notice: Notice, question: Question, dialect: Dialect) -> str:
    summary = notice.consignment
    country = summary.country_of_destination if summary else None
    authority = dialect.code_maps.get("authority", {}).get(country or "", cusrsp.SENDER)
    parts = [
        f"<Referral>{leaf('ReferralId', question.referral_id)}<TypeCd>{question.type}</TypeCd>",
        leaf("AuthorityCd", authority),
        leaf("AuthorityCountryCd", country),
        f"<IssuedDt>{notice.at.isoformat()}</IssuedDt>",
        f"<ReplyByDt>{question.due_at.isoformat()}</ReplyByDt>" if question.due_at else "",
        "<ItemRef>",
        leaf("Id", notice.key.removeprefix("post:")),
        leaf("PostingDt", summary.posted_at.isoformat() if summary and summary.posted_at else None),
        leaf("OrigPostOrgCd", summary.origin_post if summary else None),
        leaf("DestPostOrgCd", summary.destination_post if summary else None),
        leaf("ItemVersion", str(notice.filing.version) if notice.filing and notice.filing.version is not None else None),
        "</ItemRef>",
        *(_requested(*each) for each in question.elements),
        leaf("ContactPoint", question.contact),
    ]
    return "".join([*parts, "</Referral>"])


def _requested(own: str, number: str, reason: str) -> str:
    index = f' index="{number}"' if number else ""
    return f"<RequestedElement reason={attribute(reason)}{index}>{text(own)}</RequestedElement>"


def requested_paths(notice: Notice) -> dict[str, str]:
    """Return the dataset paths of what is asked for, each with the reason."""
    asked = dict.fromkeys(notice.referred or (), "VAGUE")
    for missing in notice.missing or ():
        asked.setdefault(missing.path, "MISSING")
    for found in notice.findings or ():
        if found.severity == "error" and found.path:
            asked.setdefault(found.path, "MISSING" if found.code == "FLD-MISSING" else "IMPLAUSIBLE")
    return asked


def _element(path: str, reason: str) -> tuple[str, str, str]:
    return (*split_index(cusrsp.own_path(path)), reason)


def split_index(own: str) -> tuple[str, str]:
    """Return ITMATT's name of an element without what the profile leaves out, and its index.

    >>> split_index("Declaration/Data/ContentPieces/ContentPiece[2]/Description")
    ('ContentPiece/Description', '2')
    """
    short = own.removeprefix("Declaration/Data/").removeprefix("ContentPieces/").removeprefix("Documents/")
    head, opened, tail = short.partition("[")
    number, _, rest = tail.partition("]")
    return (head + rest, number) if opened and number.isdecimal() else (short, "")
