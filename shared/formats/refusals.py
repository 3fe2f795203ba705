"""Why a message is refused as a whole, as a finding with its place."""

from __future__ import annotations

import codecs
from typing import Final

from shared.errors import MalformedMessage
from shared.formats import json, xml
from shared.formats.json_places import Json
from shared.formats.places import NOWHERE, Place
from shared.formats.rules import refusal
from shared.formats.xml_places import Tree
from shared.model import Finding
from shared.model.findings import cut

_HEAD_BYTES: Final = 1024
_BLANK: Final = b" \t\r\n"


def refused(exc: MalformedMessage, body: bytes, encoding: str) -> Finding:
    """Return the finding that *exc* is about *body*, whose character set is *encoding* unless it says another.

    Readers know line and column of what cannot be parsed. Of what is well-formed and refused all the same (a wrong count, nothing to read)
    they name the path, and it is looked up here.
    """
    line, column = exc.line, exc.column
    if exc.path and line is None:
        line, column = _place(exc.path, body, encoding)
    value = None if exc.value is None else cut(exc.value)
    return refusal(exc.finding_code, str(exc), sender_path=exc.path or None, value=value, line=line, column=column, remedy=exc.remedy)


def _place(path: str, body: bytes, encoding: str) -> Place:
    """Return where *path* leads in XML and in JSON; another document has no paths of this kind."""
    begins = body[:_HEAD_BYTES].removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)[:1]
    try:
        if begins == b"<" or body.startswith(xml.UTF16):
            return Tree(body, encoding).place(xml.parse(body, encoding), "", path)
        if begins in (b"{", b"["):
            json.parse(body)
            return Json(body).place(None, "", path)
    except MalformedMessage:
        pass
    return NOWHERE
