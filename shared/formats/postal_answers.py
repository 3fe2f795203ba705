"""Customs decisions (CUSRSP) and referrals (ITMREF) on postal items, whatever syntax they came in, as answers of an authority.

The native code of a decision is kept and translated by the dialect (``code_maps = {"decision": {"2": "RELEASE", "ADV:7": "PAY"}}``, the
phase before the code where it matters), else by the hub decision that the message itself names, else it is unknown: a hold. The service
that answers is the participant, or what ``code_maps["service"]`` makes of the authority's code where one post speaks for several.

Elements asked for are named as in ITMATT and become dataset paths; what nobody knows stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from shared.codes import decisions
from shared.contracts import Answer
from shared.formats import charges, checks, filings, postal_items, values
from shared.formats.filings import Item, reject
from shared.formats.postal_declarations import paths
from shared.model import MessageHead, RawMessage, Rejection
from shared.model.findings import cut


class Asked(NamedTuple):
    """One element asked for, as the message names it: path, reason, content piece (1-based)."""

    path: str
    reason: str = ""
    line: str = ""


def conclude(item: Item, said: Mapping[str, Any], head: MessageHead, raw: RawMessage) -> Answer | Rejection:
    """Return the answer that *said* is (the fields of ``Answer``), or the rejection that the findings demand."""
    given = {name: value for name, value in said.items() if value or value not in (None, "", (), {})}
    if not item.refused:
        try:
            return Answer.model_validate(
                {
                    **given,
                    "format": head.format,
                    "message_id": head.message_id,
                    "position": item.position,
                    "findings": item.findings or None,
                }
            )
        except ValidationError as exc:
            filings.translate(exc, item)
    return reject(item, head, raw, given.get("key"))


def service(item: Item, raw: RawMessage, authority: str | None) -> str:
    """Return the name under which an authority answers."""
    return item.dialect.code_maps.get("service", {}).get(authority or "", raw.participant)


# --- decisions ---------------------------------------------------------------------------------------------------------------------------

PHASES: Final = ("REG", "ADV", "FIN")
_DECIDED: Final = (
    "Dutiable",
    "DecisionReasonCd",
    "InResponseTo",
    "PostOrganizationCd",
    "CustOrganizationCd",
    "CDSStateCd",
)


def decision(
    said: dict[str, str],
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    *,
    asked: Sequence[Asked] = (),
    taxes: Sequence[Mapping[str, str]] = (),
    extra: dict[str, str] | None = None,
) -> Answer | Rejection:
    """Return one decision on one item.

    *said* uses the leaf names of CUSRSP (``Id``, ``PostingDt``, ``ResponseId``, ``Phase``, ``Sequence``, ``DecisionCd``,
    ``HubDecision``, …) and ``house_transport_document_id`` for the S10 number, each of *taxes* those of ``Tax``;
    *extra* is what the format kept beside them.
    """
    key = postal_items.identify(said, item)
    native = said.get("DecisionCd")
    if native is None:
        item.note("FLD-MISSING", "/DecisionCd")
    phase, sequence = _phase(said, item)
    meaning = _meaning(native or "", phase, said.get("HubDecision"), item)
    cleared = said.get("ClearanceDt")
    if cleared is not None:
        postal_items.instant(said, "ClearanceDt", item, path="/ClearanceDt")
    elif phase == "FIN":
        item.note("FLD-WANTED", "/ClearanceDt")
    kept = {name: said[name] for name in _DECIDED if name in said} | (extra or {})
    kept |= {f"Tax[{number}]": charges.told(tax) for number, tax in enumerate(taxes, 1)}
    levied = (*_taxes(taxes, item), *_fee(said, kept, item))
    return conclude(
        item,
        {
            "answer_id": said.get("ResponseId") or f"{head.message_id[:70]}#{item.position}",
            "key": key,
            "service": service(item, raw, said.get("CustOrganizationCd")),
            "outcome": meaning.outcome,
            "issued_at": said.get("ClearanceDt") or head.prepared_at or raw.received_at,
            "reason": meaning.reason,
            "note": _note(meaning, said.get("DecisionReasonNm")),
            "raw_code": native,
            "reference": said.get("CustomsRef"),
            "final": True if phase == "FIN" else None,
            "decision": meaning.decision,
            "track": "filing" if phase == "REG" else meaning.track,
            "lifted": True if meaning.lifted else None,
            "scope": {"level": "house"},
            "requested": requested(asked),
            "phase": phase,
            "phase_sequence": sequence,
            "version_judged": values.whole_number(said.get("InResponseToVersion", "")),
            "charges": levied,
            "extra": kept,
        },
        head,
        raw,
    )


def _phase(said: Mapping[str, str], item: Item) -> tuple[str | None, str | None]:
    phase = said.get("Phase", "").upper() or None
    if phase is not None and phase not in PHASES:
        item.note("FLD-CODE-DROPPED", "/Phase", phase)
        phase = None
    sequence = values.whole_number(said.get("Sequence", "")) if "Sequence" in said else None
    if "Sequence" in said and sequence is None:
        item.note("FLD-FORM", "/Sequence", said["Sequence"])
    return phase, sequence


def _meaning(native: str, phase: str | None, hub_decision: str | None, item: Item) -> decisions.Meaning:
    agreed = item.dialect.code_maps.get("decision", {})
    word = agreed.get(f"{phase}:{native}") or agreed.get(native) or hub_decision
    if word is None:
        return decisions.UNKNOWN
    return decisions.meaning("cusrsp", word.upper())


def _note(meaning: decisions.Meaning, reason: str | None) -> str | None:
    if meaning is decisions.UNKNOWN:
        return cut(f"unknown_code: {reason}" if reason else "unknown_code")
    return reason[:255] if reason else None


def _fee(said: Mapping[str, str], kept: dict[str, str], item: Item) -> Iterator[dict[str, Any]]:
    """A fee is told beside the taxes; it is not their sum, and 0 is none."""
    fee = checks.spare_money(said.get("TotalFee"), said.get("TotalFeeCurrencyCd"), "/TotalFee", item)
    if fee is not None:
        kept["TotalFee"] = f"{fee['amount']} {fee['currency']}"
        if fee["amount"] != "0.00":
            yield {"type": charges.FEE, "amount": fee}


def _taxes(taxes: Sequence[Mapping[str, str]], item: Item) -> Iterator[dict[str, Any]]:
    for index, tax in enumerate(taxes):
        amount = checks.spare_money(tax.get("Amount"), tax.get("CurrencyCd"), f"/taxes/{index}", item)
        if amount is not None:
            yield charges.charge(tax.get("Type", ""), amount, tax.get("Rate"), tax.get("HS"), item.dialect)


# --- referrals ---------------------------------------------------------------------------------------------------------------------------


def referrals(
    said: dict[str, str],
    receptacles: Sequence[str],
    asked: Sequence[Asked],
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    extra: dict[str, str],
) -> Iterator[Answer | Rejection]:
    """Yield one referral for its item and one for each receptacle it names.

    *said* uses the leaf names of ITMREF (``ReferralId``, ``TypeCd``, ``IssuedDt``, ``ReplyByDt``, …) and
    ``house_transport_document_id`` for the S10 number.
    """
    for name in ("ReferralId", "TypeCd", "AuthorityCd"):
        if name not in said:
            item.note("FLD-MISSING", f"/{name}")
    postal_items.instant(said, "IssuedDt", item, mandatory=True, path="/IssuedDt")
    postal_items.instant(said, "ReplyByDt", item, path="/ReplyByDt")
    key = postal_items.identify(said, item, mandatory=not receptacles)
    meaning = decisions.meaning("itmref", said.get("TypeCd", "").upper())
    if meaning.decision == "DO_NOT_LOAD" and not extra.get("ContactPoint"):
        item.note("FLD-WANTED", "/ContactPoint")
    common = {
        "service": service(item, raw, said.get("AuthorityCd")),
        "outcome": meaning.outcome,
        "issued_at": said.get("IssuedDt"),
        "reason": meaning.reason,
        "note": _note(meaning, said.get("Text")),
        "raw_code": said.get("TypeCd"),
        "decision": meaning.decision,
        "track": "pre_loading" if meaning is decisions.UNKNOWN else meaning.track,
        "lifted": True if meaning.lifted else None,
        "referral_id": said.get("ReferralId"),
        "due_at": said.get("ReplyByDt"),
        "requested": requested(asked),
        "version_judged": values.whole_number(said.get("ItemVersion", "")),
        "extra": extra,
    }
    referral = said.get("ReferralId", "")
    if key or not receptacles:
        yield conclude(item, {**common, "answer_id": referral, "key": key, "scope": {"level": "house"}}, head, raw)
    for number, s9 in enumerate(receptacles, 1):
        at = item.another(f"{item.position}/ReceptacleRef[{number}]")
        unit = {"receptacle_id": s9}
        canonical = postal_items.receptacle_id(unit, at, mandatory=True)
        named = {
            "answer_id": f"{referral}/{s9}",
            "key": postal_items.receptacle_key(canonical) if canonical else "",
            "scope": {"level": "receptacle"},
        }
        yield conclude(at, {**common, **named}, head, raw)


# --- elements asked for ------------------------------------------------------------------------------------------------------------------

_STEP = re.compile(r"([^\[]+)(?:\[([0-9]{1,5})\])?")


def requested(asked: Sequence[Asked]) -> tuple[str, ...] | None:
    """Return the dataset paths of the elements asked for, each once, in order."""
    return tuple(dict.fromkeys(dataset_path(each.path, each.line) for each in asked)) or None


def dataset_path(own: str, line: str = "") -> str:
    """Return the dataset path of an element that ITMATT names.

    >>> dataset_path("ContentPiece/Description", "2"), dataset_path("SenderState"), dataset_path("Nowhere")
    ('/goods_items/1/goods_description', '/consignor/country_subdivision', 'Nowhere')
    >>> dataset_path("Declaration/Data/ContentPieces/ContentPiece[3]/HS")
    '/goods_items/2/hs_code'
    """
    steps = [_STEP.match(step) for step in own.split("/") if step]
    last = steps[-1] if steps else None
    known = _by_leaf().get(last[1]) if last else None
    if known is None:
        return own
    number = next((step[2] for step in steps if step and step[2]), line)
    if "*" not in known:
        return known
    line_number = int(number) if number.isdecimal() and len(number) <= _LINE_DIGITS else 0
    return known.replace("*", str(line_number - 1)) if line_number else known.partition("/*")[0]


_LINE_DIGITS: Final = 5
"""No message has more lines than that; a longer number is none."""


_WORKED_ON: Final = frozenset({"/goods_items/*/amount", "/goods_items/*/currency"})


@cache
def _by_leaf() -> Mapping[str, str]:
    """Leaf name of ITMATT → dataset path; the first one wins, so that a leaf of the item goes before what is derived from it."""
    table: dict[str, str] = {}
    for path, own in paths().items():
        leaf = own.rpartition("/")[2].removesuffix("[*]")
        if "~" not in path and path not in _WORKED_ON and own.count("[*]") == path.count("*"):
            table.setdefault(leaf, path)
    return table
