"""IE3R03, the result of a screening that ICS2 asked for (IE3Q03), written from replies to referrals.

Each reply is one result with its methods; result codes (CL726) are not public, so they come from the dialect's code map ``hrcm-result``
(``{"clear": "…", "suspect": "…"}``), methods from ``hrcm-method`` where they differ. Customs take two methods at least: one is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.formats import customs_xml, ics2, ics2_replies
from shared.formats.base import Certainty, Envelope, Written
from shared.formats.postal_files import Sheet
from shared.formats.xml_writing import group, leaf
from shared.model import Dialect, Filing, ReferralReply

NAME: Final = "ie3r03"
TITLE: Final = "IE3R03 screening result, ICS2"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("R03",)
SOURCE: Final = ics2.SOURCE
CERTAINTY: Final[Certainty] = "published"
_WRITTEN: Final = frozenset(
    {"/referral_id", "/house_transport_document_id", "/text", "/documents/*/document_id", "/documents/*/document_type", "/outcome"}
    | {"/reply_sequence", "/screenings/*/method", "/screenings/*/result", "/screenings/*/operator_id", "/screenings/*/place"}
)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the replies among *filings* as one message about one MRN."""
    return ics2_replies.write("IE3R03", filings, envelope, dialect, _details, _WRITTEN)


def _details(reply: ReferralReply, sheet: Sheet) -> str:
    screenings = reply.screenings or ()
    results = {screening.result for screening in screenings} - {None}
    worst = "suspect" if "suspect" in results else "clear" if results else None
    codes = sheet.dialect.code_maps.get("hrcm-result", {})
    methods = sheet.dialect.code_maps.get("hrcm-method", {})
    result = codes.get(worst or "")
    if result is None:
        sheet.note("WRITE-MISSING", "/screenings/0/result", worst, "The dialect's code map hrcm-result has no code for this result.")
    if len(screenings) < 2:
        sheet.note("WRITE-WANTED", "/screenings", len(screenings), "Customs take two screening methods at least.")
    if reply.house_transport_document_id is None:
        sheet.note("WRITE-MISSING", "/house_transport_document_id")
    operators = dict.fromkeys(screening.operator_id for screening in screenings if screening.operator_id)
    places = dict.fromkeys(screening.place for screening in screenings if screening.place)
    return group(
        "hrcmScreeningResults",
        leaf("referralRequestReference", reply.referral_id),
        leaf("result", result),
        *(group("screeningMethod", leaf("method", methods.get(screening.method, screening.method))) for screening in screenings),
        ics2_replies.text_of(reply, sheet),
        *(group("authorizedPerson", leaf("identificationNumber", operator)) for operator in operators),
        ics2_replies.documents(reply),
        *(group("facilityPlace", leaf("UNLOCODE", place)) for place in places),
        ics2_replies.house(reply, "transportDocumentHouseLevel"),
    )
