"""IE3R02, the answer to an information request of ICS2 (IE3Q02), written from replies to referrals.

Its table is not public: it follows IE3R03, each reply under the reference of its referral.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.formats import customs_xml, ics2, ics2_replies
from shared.formats.base import Certainty, Envelope, Written
from shared.formats.postal_files import Sheet
from shared.formats.xml_writing import group, leaf
from shared.model import Dialect, Filing, ReferralReply

NAME: Final = "ie3r02"
TITLE: Final = "IE3R02 additional information response, ICS2"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("R02",)
SOURCE: Final = ics2.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
_WRITTEN: Final = frozenset(
    {"/referral_id", "/house_transport_document_id", "/text", "/documents/*/document_id", "/documents/*/document_type", "/outcome"}
    | {"/reply_sequence", "/provided/"}
)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the replies among *filings* as one response about one MRN."""
    return ics2_replies.write("IE3R02", filings, envelope, dialect, _details, _WRITTEN)


def _details(reply: ReferralReply, sheet: Sheet) -> str:
    provided = [
        group("additionalInformation", leaf("code", name[:17]), leaf("text", sheet.fit(said, 512, f"/provided/{name}")))
        for name, said in (reply.provided or {}).items()
        if name != "MRN"
    ]
    parts = (leaf("referralRequestReference", reply.referral_id), *provided, ics2_replies.text_of(reply, sheet))
    if not (provided or reply.text or reply.documents):
        sheet.note("WRITE-MISSING", "/provided", message="The reply says nothing: no text, no value, no document.")
    return group("referralResponseDetails", *parts, ics2_replies.documents(reply), ics2_replies.house(reply, "transportDocumentHouse"))
