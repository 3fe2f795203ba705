"""ASYCUDA World degroupage (``Awbolds``): the houses under one master that customs have registered already; written only.

Like :mod:`shared.formats.awmds`, with a ``Master_bol`` in the place of the general segment. Houses of another master are told and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.formats import asycuda, customs_xml
from shared.formats.asycuda import Page
from shared.formats.base import Certainty, Envelope, Written
from shared.formats.losses import losses
from shared.formats.postal_files import Sheet
from shared.formats.xml_writing import group, leaf
from shared.model import Consignment, Dialect, Filing, Finding

NAME: Final = "awbolds"
TITLE: Final = "ASYCUDA World degroupage of a master (Awbolds)"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("4.3",)
SOURCE: Final = asycuda.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
_CARRIED: Final = asycuda.CARRIED | {"/master_transport_document_id"}
_SCHEMES: Final = ("/consignor/identifier_scheme", "/consignee/identifier_scheme", "/mode_of_transport")


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* as the houses of one master. Without a consignment that can be written the body is empty."""
    findings: list[Finding] = []
    bols: list[str] = []
    first: str | None = None
    for filing in filings:
        sheet = Sheet(filing.key, dialect)
        consignment = asycuda.to_write(filing, sheet)
        if consignment is None:
            findings += sheet.findings
            continue
        page = Page(consignment, sheet)
        master = _master(consignment, page)
        written = asycuda.write_bol(consignment, len(bols) + 1, page)
        asycuda.leftovers(page)
        if not any(made.severity == "error" for made in sheet.findings):
            first = first or master
            if master == first:
                bols.append(written)
                findings += losses(filing, _CARRIED, dialect, _SCHEMES)
            else:
                sheet.note("WRITE-ONE", "/master_transport_document_id", consignment.master_transport_document_id)
        findings += sheet.findings
    if first is None:
        return Written(b"", tuple(findings))
    return Written("".join(['<?xml version="1.0" encoding="UTF-8"?>\n<Awbolds>', first, *bols, "</Awbolds>\n"]).encode(), tuple(findings))


def _master(consignment: Consignment, page: Page) -> str:
    office = page.said("Customs_office_code")
    said = {
        "/extra/Customs_office_code": office,
        "/conveyance_reference": consignment.conveyance_reference,
        "/departure_on": consignment.departure_on,
        "/master_transport_document_id": consignment.master_transport_document_id,
    }
    for path, value in said.items():
        if value is None:
            page.sheet.note("WRITE-MISSING", path)
    return group(
        "Master_bol",
        leaf("Customs_office_code", office),
        page.fit("Voyage_number", consignment.conveyance_reference, "/conveyance_reference"),
        leaf("Date_of_departure", asycuda.day(consignment.departure_on)),
        leaf("Reference_number", consignment.master_transport_document_id),
    )
