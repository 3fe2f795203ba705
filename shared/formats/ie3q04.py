"""IE3Q04, the request to invalidate an ICS2 filing, written from a withdrawn consignment; possible only before presentation.

One message is about one filing; it names the MRN that the consignment keeps in ``extra``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.formats import customs_xml, ics2, ics2_replies
from shared.formats.base import Certainty, Envelope, Written
from shared.formats.postal_files import Sheet
from shared.model import Dialect, Filing, Finding

NAME: Final = "ie3q04"
TITLE: Final = "IE3Q04 invalidation request, ICS2"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("Q04",)
SOURCE: Final = ics2.SOURCE
CERTAINTY: Final[Certainty] = "published"


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the first withdrawal of *filings*; further filings with another MRN are told as not written."""
    findings: list[Finding] = []
    asked = ""
    for filing in filings:
        sheet = Sheet(filing.key, dialect)
        content = filing.consignment or filing.movement
        if content is None or filing.function != "cancel":
            sheet.note("WRITE-ONE", "/function", filing.function, "Only a withdrawn filing is invalidated.")
        else:
            number = ics2_replies.reference((content.extra or {}).get("MRN"), "/extra/MRN", sheet)
            if not any(found.severity == "error" for found in sheet.findings):
                asked = asked or number
                if number != asked:
                    sheet.note("WRITE-ONE", "/extra/MRN", number)
        findings += sheet.findings
    body = ics2_replies.message("IE3Q04", asked, envelope, dialect) if asked else b""
    return Written(body, tuple(findings))
