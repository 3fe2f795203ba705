"""What traders send to ICS2 after a filing, written: IE3R02 and R03 from replies to referrals, IE3Q04 from a withdrawal.

Each names the MRN of the filing: a reply keeps it in ``provided`` under ``MRN``, a consignment in ``extra``. One message is about one MRN;
replies about another are told and left out. The declarant comes from the dialect's code map ``ics2``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC

from shared.formats.base import Envelope, Written
from shared.formats.ics2_tables import NAMESPACE
from shared.formats.losses import losses
from shared.formats.postal_files import Sheet
from shared.formats.xml_writing import group, leaf
from shared.identifiers import mrn, s10
from shared.model import Dialect, Filing, Finding, ReferralReply

Details = Callable[[ReferralReply, Sheet], str]


def write(root: str, filings: Sequence[Filing], envelope: Envelope, dialect: Dialect, details: Details, written: frozenset[str]) -> Written:
    """Write the replies among *filings* as one message; without one that can be written the body is empty."""
    findings: list[Finding] = []
    parts: list[str] = []
    first: str | None = None
    for filing in filings:
        sheet = Sheet(filing.key, dialect)
        reply = filing.reply
        if reply is None:
            sheet.note("WRITE-MISSING", "/referral_id", filing.key, "This is no reply to a referral.")
        else:
            number = reference((reply.provided or {}).get("MRN"), "/provided/MRN", sheet)
            made = details(reply, sheet)
            if not any(found.severity == "error" for found in sheet.findings):
                first = first or number
                if number == first:
                    parts.append(made)
                    findings += losses(filing, written, dialect, ("/provided/MRN",))
                else:
                    sheet.note("WRITE-ONE", "/provided/MRN", number)
        findings += sheet.findings
    if first is None:
        return Written(b"", tuple(findings))
    return Written(message(root, first, envelope, dialect, *parts), tuple(findings))


def message(root: str, number: str, envelope: Envelope, dialect: Dialect, *parts: str) -> bytes:
    """Return a whole message about the filing *number*."""
    said = dialect.code_maps.get("ics2", {})
    issued = leaf("documentIssueDate", envelope.prepared_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    numbers = {name: said.get(f"{name}/identificationNumber") for name in ("representative", "declarant")}
    parties = [group(name, leaf("identificationNumber", value)) for name, value in numbers.items()]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">'
    return "".join([head, issued, leaf("MRN", number), *parts, *parties, f"</{root}>\n"]).encode()


def reference(said: str | None, path: str, sheet: Sheet) -> str:
    """Return the MRN; one that is missing or wrong is an error."""
    if said is None:
        sheet.note("WRITE-MISSING", path, message="The message names the MRN that customs gave the filing.")
        return ""
    found = mrn.problem(said)
    if found is not None and found.severity == "error":
        sheet.note("WRITE-MISSING", path, said, found.message)
    return mrn.normalise(said)


def house(reply: ReferralReply, name: str) -> str:
    """Return the house document of a reply."""
    number = reply.house_transport_document_id
    if number is None:
        return ""
    return group(name, leaf("documentNumber", number), leaf("type", "N703" if s10.problem(number) else "N750"))


def documents(reply: ReferralReply) -> str:
    """Return the documents that a reply names."""
    return "".join(
        group("supportingDocuments", leaf("referenceNumber", each.document_id or each.name), leaf("type", f"N{each.document_type or ''}"))
        for each in reply.documents or ()
    )


def text_of(reply: ReferralReply, sheet: Sheet) -> str:
    """Return the text of a reply; one that is longer than its field is told and cut."""
    return "" if reply.text is None else group("additionalInformation", leaf("text", sheet.fit(reply.text, 512, "/text")))
