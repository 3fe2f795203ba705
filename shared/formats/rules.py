"""Every code a format can put into a finding, with its usual weight and what the sender can do: the table behind the README's list of
errors.

``MSG-`` whole message, ``FLD-`` one field against its format, ``DQ-`` data quality (the postal rule set, see ``shared.formats.itmatt``).
A participant's dialect may give another weight to a ``DQ-`` code (``severities = {"DQ-09" = "error"}``; ``off`` silences it); what the
format forbids stays an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from shared.formats.places import NOWHERE, Place, named_in
from shared.model import Dialect, Finding, Severity
from shared.model.findings import cut

Weight = Literal["error", "warning", "note"]


class Rule(NamedTuple):
    """A finding's usual weight, its message and its remedy."""

    weight: Weight
    message: str
    remedy: str


_RULES: Final[dict[str, Rule]] = {
    # the whole message
    "MSG-EMPTY": Rule("error", "The message has no content.", "Send the message again with its body."),
    "MSG-TOO-LARGE": Rule("error", "The message is larger than 5 MiB.", "Split it into several messages."),
    "MSG-ITEMS": Rule("error", "The message has more than 10,000 items.", "Split it into several messages."),
    "MSG-NO-ITEMS": Rule("error", "The message holds no item.", "Send at least one item."),
    "MSG-NUL": Rule("error", "The message holds NUL bytes.", "Send text in UTF-8 without NUL characters."),
    "MSG-BINARY": Rule(
        "error",
        "The bytes are no message.",
        "Send the message itself: not packed, no document, no picture; a table as CSV or as a workbook (.xlsx).",
    ),
    "MSG-CHARSET": Rule(
        "error", "The bytes are not text in the character set they claim.", "Send UTF-8, or declare the real character set."
    ),
    "MSG-SYNTAX": Rule("error", "The message is not well-formed.", "Correct the message at the position given and send it again."),
    "MSG-DOCTYPE": Rule("error", "The message has a document type declaration.", "Leave out DOCTYPE and entities."),
    "MSG-DEPTH": Rule("error", "The message is nested deeper than 32 levels.", "Follow the message guide: no format needs that depth."),
    "MSG-ATTRIBUTES": Rule("error", "An element has more than 32 attributes.", "Follow the message guide: no element needs so many."),
    "MSG-NAMESPACE": Rule("error", "A namespace is longer than 300 characters.", "Use the namespace of the message guide."),
    "MSG-STRING": Rule("error", "A text is longer than 64 kB.", "Shorten the text."),
    "MSG-DUPLICATE-KEY": Rule("error", "An object names the same key twice.", "Name each key once."),
    "MSG-NUMBER": Rule("error", "NaN and Infinity are no values.", "Leave the field out, or give a number."),
    "MSG-SURROGATE": Rule("error", "A text holds half of a surrogate pair.", "Send the character itself in UTF-8."),
    "MSG-FORMAT": Rule(
        "error", "No format of the hub recognises the message.", "See the list of formats; the finding says which came near."
    ),
    "MSG-HEAD": Rule(
        "error", "A mandatory field of the message header is missing or wrong.", "Fill the header field and send the message again."
    ),
    "MSG-COUNT": Rule("error", "The control total differs from what was read.", "Send the complete message, or correct the total."),
    # who sent it
    "SENDER-UNKNOWN": Rule(
        "error", "Nobody is registered under the name of this topic.", "Ask the hub's operator to register the participant."
    ),
    "SENDER-INACTIVE": Rule("error", "The participant is not active.", "Ask the hub's operator."),
    "SENDER-ROLE": Rule("error", "Only customs and agencies answer about a consignment.", "Send data about consignments or orders."),
    "FORMAT-NOT-AGREED": Rule(
        "error", "This format was not agreed with the participant.", "Send an agreed format, or have this one added."
    ),
    # one field against its format
    "FLD-MISSING": Rule("error", "A mandatory field is missing.", "Fill the field."),
    "FLD-WANTED": Rule("warning", "A field that others depend on is missing.", "Fill the field when it is known."),
    "FLD-FORM": Rule("error", "The value does not have the form of its field.", "Correct the value."),
    "FLD-LENGTH": Rule("error", "The value is longer than its field.", "Shorten the value."),
    "FLD-CODE": Rule("error", "The code is not in its list.", "Use a code of the list."),
    "FLD-CODE-MAPPED": Rule("warning", "The value is not a code of its list; the likely code was taken.", "Send the code itself."),
    "FLD-CODE-DROPPED": Rule("warning", "The code is not in its list and was left out.", "Use a code of the list."),
    "FLD-CODE-KEPT": Rule("warning", "The code is not in its list; it was kept as sent.", "Use a code of the list, or agree on this one."),
    "FLD-REPEATED": Rule("error", "A field that may come once comes again.", "Send the field once."),
    "FLD-UNKNOWN": Rule("error", "The field is not part of this format.", "Leave the field out, or write it as the guide does."),
    "FLD-IGNORED": Rule(
        "note", "The field is not part of this format and was not read.", "Nothing, unless the field was meant to be read."
    ),
    "FLD-IDENTIFIER": Rule("warning", "The identifier breaks its own rule.", "Check the identifier with whoever issued it."),
    "FLD-KEY": Rule("error", "The item cannot be named.", "Give the identifier the item is known by."),
    "FLD-DIFFERS": Rule(
        "error", "Lines of one consignment say different things about it.", "Repeat the consignment's values unchanged on each line."
    ),
    "TIME-ZONE-ASSUMED": Rule("note", "A local time without offset was read in the agreed time zone.", "Send times with their offset."),
    "TIME-YEAR-ASSUMED": Rule("warning", "A year of two digits was read as one of this century.", "Send years with four digits."),
    "MSG-VERSION": Rule("note", "This version is not in the hub's list; it was read as the nearest one.", "Send a version of the list."),
    "FLD-COUNT": Rule("warning", "A count differs from what was listed.", "Send the complete list, or correct the count."),
    "FLD-ASSUMED": Rule("note", "The format has no place for this value; the hub supposed one.", "Send it in a format that has the field."),
    "FLD-DESPATCH": Rule(
        "error", "The receptacle does not belong to its despatch.", "A receptacle's S9 identifier starts with the S8 of its despatch."
    ),
    "FLD-TWICE": Rule("warning", "The item is listed in several places; the last one was taken.", "List each item once."),
    "FLD-DROPPED": Rule("warning", "The value does not have the form of its field and was left out.", "Correct the value."),
    "FLD-AGAIN": Rule("warning", "A field that the hub keeps once comes again; the last one was taken.", "Send the field once."),
    "FLD-OTHER-NAME": Rule("warning", "Two places of the message name different documents.", "Name one document in both places."),
    "UNIT-ASSUMED": Rule("warning", "The mass has no unit; kilograms were assumed.", "Send the unit with every mass."),
    "WRITE-ONE": Rule("error", "One message of this format holds one document; this one is not in it.", "Write it into its own message."),
    "WRITE-CUT": Rule("warning", "The text is longer than the receiver's field and was cut.", "Shorten the text at its source."),
    "WRITE-MISSING": Rule("error", "The receiver's format needs a value that is missing.", "Complete the data and send them again."),
    "WRITE-WANTED": Rule("warning", "The receiver may refuse the message for want of this value.", "Complete the data where it is known."),
    "WRITE-LOST": Rule("note", "The receiver's format has no place for this value.", "Send it in another format where it is needed."),
    # UN/EDIFACT: the envelope, and what a writer had to change
    "EDI-COUNT": Rule("warning", "A control count differs from what was read.", "Send the complete interchange, or correct the count."),
    "EDI-TOTAL": Rule("warning", "A control total differs from the sum of what was read.", "Check whether a line is missing."),
    "EDI-REFERENCE": Rule("warning", "A control reference differs from the one it repeats.", "Repeat the reference unchanged."),
    "EDI-CUT": Rule("error", "The message has no UNT: it may be cut off.", "Send the complete message again."),
    "EDI-STRAY": Rule("warning", "A segment stands outside of any message and was not read.", "Put it between UNH and UNT."),
    "EDI-TRAILING": Rule("note", "Text behind the last interchange was not read.", "Nothing, unless it was meant to be read."),
    "EDI-CHARSET": Rule("warning", "The bytes are not in the character set that UNB declares.", "Declare the character set that is sent."),
    "EDI-LINES": Rule("note", "The file is broken into lines of one width; it was put together.", "Send segments unbroken."),
    "EDI-VERSION": Rule("note", "This version of the message is read as the nearest one known.", "Send a version of the hub's list."),
    "EDI-TYPE": Rule("error", "A message of another type stands in the interchange.", "Send each type of message in its own interchange."),
    "EDI-CHARACTER": Rule("warning", "Characters are not in the receiver's character set.", "Agree on UNOW (UTF-8) with the receiver."),
    "EDI-TRANSLITERATED": Rule("note", "The text was transliterated, as UNOA and UNOB demand.", "Agree on a larger character set."),
    # Cargo-IMP: lines of text
    "IMP-LINES": Rule("note", "A line is broken; it was put together.", "Send lines unbroken, continuations with a stroke before them."),
    "IMP-CHARACTER": Rule("note", "The text holds characters that Cargo-IMP does not have.", "Send A to Z, digits, blank, . and - only."),
    "IMP-LENGTH": Rule("note", "A line is longer than 69 characters.", "Continue the line in the next one, with a stroke before it."),
    "IMP-CUT": Rule("warning", "The manifest ends without LAST or CONT: it may be cut off.", "Send the complete manifest again."),
    "IMP-STRAY": Rule("note", "Text outside of any message was not read.", "Nothing, unless it was meant to be read."),
    "IMP-TYPE": Rule("error", "A message of another type stands in the transmission.", "Send each type of message on its own."),
    # workbooks
    "XLS-ARCHIVE": Rule(
        "error", "The workbook cannot be unpacked within the limits.", "Save it again as .xlsx, without pictures, unprotected."
    ),
    "XLS-ACTIVE": Rule("error", "The workbook holds macros, embedded or linked parts.", "Save a plain copy: values only, as .xlsx."),
    "XLS-FORMULA": Rule("error", "The cell holds a formula, not a value.", "Paste the column as values and send the workbook again."),
    "XLS-SIZE": Rule("error", "The sheet has more rows or cells than are accepted.", "Split it into several workbooks."),
    "XLS-SHEETS": Rule("note", "Only the first sheet with a header row was read.", "Put all rows into one sheet."),
    # data quality
    "DQ-01": Rule(
        "error", "The item identifier is not an S10 identifier.", "Two letters, nine digits, two letters of the issuing country."
    ),
    "DQ-02": Rule("warning", "The check digit of the S10 identifier is wrong.", "Read the identifier from the label again."),
    "DQ-04": Rule(
        "warning", "The posting date is more than a day ahead or more than 60 days old.", "Send the real or intended time of posting."
    ),
    "DQ-06": Rule("warning", "The sender's street or city is missing.", "Give street and city of the sender."),
    "DQ-07": Rule("warning", "The addressee's street or city is missing.", "Give street and city of the addressee."),
    "DQ-08": Rule("warning", "The postcode is missing.", "Give the postcode."),
    "DQ-09": Rule("warning", "The addressee has neither telephone nor e-mail.", "Give one of them; the EU asks for it."),
    "DQ-10": Rule("warning", "The name does not name anybody.", "Give the full name."),
    "DQ-11": Rule(
        "warning",
        "The masses do not fit: more than 50 kg, or the lines weigh more than the item.",
        "Give kilograms, line totals and the gross mass.",
    ),
    "DQ-12": Rule("error", "Mass and number of pieces must be more than zero.", "Give the real mass and number of pieces."),
    "DQ-13": Rule("warning", "The description does not say what the goods are.", "Name the article, its material or its use."),
    "DQ-14": Rule("warning", "The value is zero or negative.", "Give the value of the line as sold."),
    "DQ-15": Rule("warning", "The lines use several currencies.", "Use one currency in an item."),
    "DQ-16": Rule(
        "warning", "The HS code is missing for commercial goods, or is not an HS code.", "Give at least six digits of the HS code."
    ),
    "DQ-17": Rule(
        "warning",
        "The country of origin of the goods is missing or no country.",
        "Give the ISO 3166-1 code of the country where the goods were made.",
    ),
    "DQ-20": Rule("note", "The postage is missing.", "Give the postage paid."),
    "DQ-23": Rule("warning", "The text looks as if it had been read in the wrong character set.", "Send UTF-8 and declare it."),
    "DQ-24": Rule("note", "The item is declared a gift, its sender looks like a trader.", "Declare a sale where it is one."),
    "DQ-25": Rule(
        "note", "The text ends with the last character of its field; it may have been cut.", "Send the whole text, or a shorter one."
    ),
}

RULES: Final[Mapping[str, Rule]] = MappingProxyType(_RULES)
"""All codes of findings that formats and ingest make."""

_SEVERITIES: Final[Mapping[str, Severity]] = {severity.value: severity for severity in Severity}
_validate = Finding.__pydantic_validator__.validate_python


def finding(
    code: str,
    dialect: Dialect,
    *,
    path: str | None = None,
    sender_path: str | None = None,
    value: object = None,
    message: str | None = None,
    remedy: str | None = None,
    place: Place = NOWHERE,
) -> Finding | None:
    """Return the finding *code* with the weight the dialect gives it, or None where the dialect switches it off.

    *place* is taken from *sender_path* where that names one.
    Only ``DQ-`` codes and warnings can be re-weighed: what the format forbids stays an error.
    """
    rule = RULES[code]
    weight: str = rule.weight
    if dialect.severities and (code.startswith("DQ-") or weight != "error"):
        weight = dialect.severities.get(code, weight)
        if weight == "off":
            return None
    line, column = named_in(sender_path) if place is NOWHERE and sender_path is not None else place
    made: Finding = _validate(
        {
            "code": code,
            "severity": _SEVERITIES.get(weight) or Severity(weight),
            "message": message or rule.message,
            "remedy": remedy or rule.remedy,
            "path": path,
            "sender_path": sender_path,
            "value": None if value is None else cut(value),
            "line": line,
            "column": column,
        }
    )
    return made


def refusal(code: str, message: str | None = None, **where: object) -> Finding:
    """Return the error *code* about a whole message. *where* may hold ``sender_path``, ``value``, ``line``, ``column``, ``remedy``."""
    rule = RULES[code]
    return Finding.model_validate({"code": code, "message": message or rule.message, "remedy": rule.remedy} | where)
