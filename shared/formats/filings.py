"""From a dict in the shape of the standard dataset to a validated filing, or to a rejection with every finding: one validation per item.

The fast path builds nothing but strings: pydantic turns them into decimals, instants and tuples once. Only when it refuses, each of its
errors is translated into a finding in the sender's own names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson
from lxml import etree
from pydantic import ValidationError

from shared.contracts import derived_id
from shared.formats.places import NOWHERE, Place, Source
from shared.formats.provenance import sender_path
from shared.formats.remarks import remark
from shared.formats.rules import RULES, finding
from shared.model import (
    Consignment,
    Dialect,
    Event,
    Filing,
    Finding,
    Kind,
    MessageHead,
    Model,
    Movement,
    Order,
    Payment,
    RawMessage,
    ReferralReply,
    Rejection,
    Severity,
)

if TYPE_CHECKING:
    from shared.formats.outlines import Told

_DIGEST_OPTIONS: Final = orjson.OPT_SORT_KEYS
_MODELS: Final[Mapping[Kind, type[Model]]] = {
    "consignment": Consignment,
    "order": Order,
    "payment": Payment,
    "movement": Movement,
    "event": Event,
    "reply": ReferralReply,
}
_CODES: Final[Mapping[str, str]] = {
    "missing": "FLD-MISSING",
    "extra_forbidden": "FLD-UNKNOWN",
    "string_too_long": "FLD-LENGTH",
    "literal_error": "FLD-CODE",
}
"""Which finding stands for which of pydantic's errors; any other is one of form."""

_validate = Filing.__pydantic_validator__.validate_python


@dataclass(slots=True)
class Item:
    """One item while it is read: where it stands, what was found wrong so far.

    ``paths`` overrides the format's own provenance table (see :mod:`shared.formats.provenance`). In XML ``element`` is what stands at
    *position*, or any element of the document. Findings take line and column from *source*, where there is one.
    """

    position: str
    table: Mapping[str, str]
    dialect: Dialect
    findings: list[Finding] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    element: etree._Element | Told | None = field(default=None, kw_only=True)
    source: Source | None = field(default=None, kw_only=True)

    def note(
        self,
        code: str,
        path: str | None = None,
        value: object = None,
        *,
        at: str | None = None,
        message: str | None = None,
        remedy: str | None = None,
    ) -> None:
        """Add the finding *code* about the dataset path *path*; *at* is the sender's path where the table does not know it."""
        where = at
        if where is None:
            where = self._where(path or "") or self.position
        made = finding(
            code, self.dialect, path=path, sender_path=where, value=value, message=message, remedy=remedy, place=self._place(where)
        )
        if made is not None:
            self.findings.append(made)

    def another(
        self,
        position: str,
        element: etree._Element | Told | None = None,
        *,
        table: Mapping[str, str] | None = None,
        findings: Sequence[Finding] | None = None,
    ) -> Item:
        """Return the item at another *position* of the same document.

        What is wrong with the whole is wrong with it, too: *findings*, or all so far.
        """
        at = self.element if element is None else element
        told = self.findings if findings is None else findings
        return Item(position, table or self.table, self.dialect, list(told), element=at, source=self.source)

    def _place(self, where: str) -> Place:
        """Return line and column of what the sender's path *where* names."""
        if self.source is None:
            return NOWHERE
        return self.source.place(self.element, self.position, where)

    def _where(self, path: str) -> str | None:
        """Return the sender's path of the dataset path *path*."""
        return sender_path(path, self.position, self.table, self.paths)

    @property
    def refused(self) -> bool:
        """Whether a finding rejects the item."""
        return Severity.ERROR in [made.severity for made in self.findings]


def content_digest(content: dict[str, Any]) -> str:
    """Return SHA-256 (hex) over *content* in canonical order: two filings with one digest say the same."""
    return hashlib.sha256(orjson.dumps(content, option=_DIGEST_OPTIONS)).hexdigest()


def conclude(
    item: Item,
    kind: Kind,
    content: dict[str, Any],
    key: str,
    head: MessageHead,
    raw: RawMessage,
    *,
    function: str,
    version: str | int | None = None,
    unhashed: Mapping[str, Any] | None = None,
    assumed: Mapping[str, Any] | None = None,
    references: tuple[str, ...] = (),
) -> Filing | Rejection:
    """Return the filing of *content*, or the rejection that its findings demand.

    *unhashed* is merged into ``content["postal"]`` after the content digest is taken (a declaration id is new with every sending), and
    *assumed* into *content* (what the hub supposes because the format has no place for it). *references* are keys by which authorities may
    name this item (``lrn:…``, ``mrn:…``), besides those of its message.
    """
    digest = content_digest(content)
    if unhashed:
        content["postal"].update(unhashed)
    if assumed:
        content.update(assumed)
    if not (item.findings and item.refused):
        try:
            filing: Filing = _validate(
                {
                    "filing_id": derived_id("filing", raw.participant, head.message_id, item.position),
                    "key": key,
                    "participant": raw.participant,
                    "format": head.format,
                    "message_id": head.message_id,
                    "position": item.position,
                    "function": function,
                    "version": version,
                    "prepared_at": head.prepared_at,
                    "received_at": raw.received_at,
                    "submission_id": raw.submission_id,
                    "content_digest": digest,
                    kind: content,
                    "findings": item.findings or None,
                    "paths": item.paths or None,
                    "references": (*(head.references or ()), *references) or None,
                }
            )
            if filing.consignment is None or not remark(filing.consignment, head.format, item):
                return filing
            if not item.refused:
                return filing.model_copy(update={"findings": tuple(item.findings)})
        except ValidationError as exc:
            translate(exc, item)
    else:
        _complain(item, kind, content)
    return reject(item, head, raw, key or None)


def _complain(item: Item, kind: Kind, content: dict[str, Any]) -> None:
    """Add what the model alone would still say against an item that is refused already: the sender hears everything at once."""
    try:
        _MODELS[kind].__pydantic_validator__.validate_python(content)
    except ValidationError as exc:
        translate(exc, item)


def translate(exc: ValidationError, item: Item) -> None:
    """Turn pydantic's errors into findings. A value already complained of is not named twice."""
    known = {made.path for made in item.findings}
    for error in exc.errors(include_url=False, include_context=False):
        loc = error["loc"]
        steps = loc[1:] if exc.title == Filing.__name__ and loc[:1] and loc[0] in _MODELS else loc
        path = "/" + "/".join(map(str, steps))
        if path in known:
            continue
        known.add(path)
        code = _CODES.get(error["type"], "FLD-FORM")
        if code == "FLD-UNKNOWN":
            item.note(code, at="/".join([item.position, *_named(steps)]))
            continue
        value = None if code == "FLD-MISSING" else error["input"]
        item.note(
            code,
            path,
            None if isinstance(value, dict | list) else f"{value:f}" if isinstance(value, Decimal) else value,
            message=None if code == "FLD-MISSING" else f"{RULES[code].message} {error['msg']}.",
        )


def _named(steps: Sequence[int | str]) -> Iterator[str]:
    """Yield each name of a path, with its place where it is that of a list: pydantic's numbers are indices, its texts are names."""
    for step, after in zip(steps, [*steps[1:], ""], strict=True):
        if isinstance(step, str):
            yield f"{step}[{after + 1}]" if isinstance(after, int) else step


def reject(item: Item, head: MessageHead, raw: RawMessage, key: str | None = None) -> Rejection:
    """Return the rejection of one item with its findings."""
    return rejection(raw, item.findings, format=head.format, message_id=head.message_id, position=item.position, key=key)


def rejection(
    raw: RawMessage,
    findings: Sequence[Finding],
    *,
    format: str | None = None,
    message_id: str | None = None,
    position: str | None = None,
    key: str | None = None,
) -> Rejection:
    """Return a rejection; its id is derived, so the same message read twice is rejected once. Without *position* the whole message is
    meant."""
    named = message_id or message_id_of(raw.body)
    return Rejection(
        rejection_id=derived_id("rejection", raw.participant, named, position or ""),
        participant=raw.participant,
        format=format,
        message_id=named,
        position=position,
        key=key,
        received_at=raw.received_at,
        submission_id=raw.submission_id,
        findings=tuple(findings),
    )


def message_id_of(body: bytes) -> str:
    """Return the id of a message that has none of its own: ``sha256:<hex>`` of its bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
