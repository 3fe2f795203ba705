"""REFRSP, XML hub profile ``urn:hub:postal:refrsp:1``: the origin post replies to a referral.

A reply that carries corrected data only names the new version of the item; the data themselves come as an ITMATT with function REPLACE,
so that there is one source of item data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.formats import postal_files, postal_replies, xml
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.formats.postal_files import Profile, each_unit, open_file, shape
from shared.model import Dialect, Filing, RawMessage, Rejection

NAME: Final = "refrsp"
TITLE: Final = "REFRSP reply to a referral, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "message by public name; profile urn:hub:postal:refrsp:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "REFRSP", "RefrspFile", "Reply")

_REPLY: Final = {
    "ReferralId": "referral_id",
    "ReplySeq": "reply_sequence",
    "OutcomeCd": "outcome",
    "NewItemVersion": "new_version",
    "Text": "text",
}
_SCREENING: Final = {"MethodCd": "method", "ResultCd": "result", "Dt": "screened_at", "OperatorId": "operator_id"}
_DOCUMENT: Final = {"DocumentType": "document_type", "DocumentId": "document_id", "DocumentName": "name"}
_PARTS: Final = ("", "/screenings/*", "/documents/*")
_SCREENINGS, _DOCUMENTS = 1, 2

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {f"/{field}": name for name, field in _REPLY.items()}
    | {f"/screenings/*/{field}": f"Screening[*]/{name}" for name, field in _SCREENING.items()}
    | {f"/documents/*/{field}": f"Document[*]/{name}" for name, field in _DOCUMENT.items()}
    | {"/house_transport_document_id": "ItemRef/Id", "/provided": "ProvidedElement"}
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    echoed = {name: (0, f"~{name}") for name in ("PostingDt", "OrigPostOrgCd", "DestPostOrgCd", "ItemVersion")}
    item = shape(namespace, {"Id": (0, "house_transport_document_id"), **echoed})
    screening = shape(namespace, {name: (_SCREENINGS, field) for name, field in _SCREENING.items()}, opens=_SCREENINGS)
    document = shape(namespace, {name: (_DOCUMENTS, field) for name, field in _DOCUMENT.items()}, opens=_DOCUMENTS)
    leaves = {name: (0, field) for name, field in _REPLY.items()}
    return shape(namespace, leaves, {"ItemRef": item, "Screening": screening, "Document": document}, ("ProvidedElement",))


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``RefrspFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a REFRSP file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)

    def read(_: xml.Element, record: xml.Record, item: Item) -> Iterator[Filing | Rejection]:
        said: dict[str, Any] = dict(record.parts[0])
        provided = [(content, attributes) for key, content, attributes in record.marked if key == "ProvidedElement"]
        given = [
            postal_replies.provided(attributes.get("path", ""), attributes.get("index", ""), content) for content, attributes in provided
        ]
        yield postal_replies.reply(said, record.lists[_SCREENINGS], record.lists[_DOCUMENTS], given, item, file.head, raw)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), _PARTS, read), len(file.units))
