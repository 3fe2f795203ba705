"""Writing where one document holds one consignment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.formats.base import Written
from shared.formats.losses import losses
from shared.formats.postal_files import Sheet
from shared.model import Consignment, Dialect, Filing, Finding


def write_one(
    filings: Sequence[Filing],
    dialect: Dialect,
    carried: frozenset[str],
    declared: Callable[[Filing, Consignment, Sheet], bytes],
    told_elsewhere: tuple[str, ...] = (),
    *,
    cancels: bool = False,
) -> Written:
    """Write the first consignment by *declared*; further ones are told as not written.

    *carried* and *told_elsewhere* are the paths that the document has a place for, and those it says in other words; *cancels* tells that
    it can say a cancellation. Without a filing that can be written the body is empty.
    """
    body = b""
    findings: list[Finding] = []
    for filing in filings:
        sheet = Sheet(filing.key, dialect)
        if filing.consignment is None:
            sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, "This is no consignment.")
        elif filing.function == "cancel" and not cancels:
            sheet.note("WRITE-MISSING", "/function", filing.function, "This message has no word for a cancellation.")
        elif body:
            sheet.note("WRITE-ONE", "/house_transport_document_id", filing.key)
        else:
            written = declared(filing, filing.consignment, sheet)
            if not any(made.severity == "error" for made in sheet.findings):
                body = written
                findings += losses(filing, carried, dialect, told_elsewhere)
        findings += sheet.findings
    return Written(body, tuple(findings))
