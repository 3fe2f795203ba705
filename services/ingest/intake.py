"""The core of ingest: a raw message becomes filings, or rejections that say everything that is wrong.

Pure: who may send what comes in as the participant, the time as an argument. The same bytes always give the same filings with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from shared.contracts import Answer, FilingRejected, MessageAcknowledged, SubmissionRead, derived_id
from shared.directory import Participant, Role
from shared.errors import MalformedMessage, UnknownFormat
from shared.formats import xml
from shared.formats.acknowledging import acknowledgement, details
from shared.formats.base import Parsed, Reader, Received, Taken
from shared.formats.filings import message_id_of, rejection
from shared.formats.recognition import recognise
from shared.formats.refusals import refused
from shared.formats.rules import refusal
from shared.model import DEFAULT_DIALECT, Dialect, Filing, MessageHead, RawMessage, Rejection


class Reading:
    """One message being read.

    ``refusal`` is set when the message was refused as a whole; otherwise iterate for its filings and rejections, one item at a time, and
    ask for the :meth:`summary` after the last, and for the :meth:`acknowledgement` where :meth:`acknowledge` was called before the first.
    """

    __slots__ = ("_answers", "_dialect", "_filings", "_may_answer", "_module", "_over", "_parsed", "_raw", "_rejected", "_taken", "refusal")

    def __init__(
        self,
        raw: RawMessage,
        module: Reader | None = None,
        *,
        parsed: Parsed | None = None,
        refusal: Rejection | None = None,
        may_answer: bool = False,
    ) -> None:
        self.refusal = refusal
        self._module = module
        self._dialect = DEFAULT_DIALECT
        self._taken: list[Taken] | None = None
        self._over = False
        self._may_answer = may_answer
        self._raw = raw
        self._parsed = parsed
        self._filings: list[UUID] = []
        self._answers = 0
        self._rejected = 0

    @property
    def head(self) -> MessageHead | None:
        """What the message says of itself; None when it was refused."""
        return self._parsed.head if self._parsed else None

    @property
    def count(self) -> int:
        """How many items there are to read; 0 when the message was refused."""
        return self._parsed.count if self._parsed else 0

    def __iter__(self) -> Iterator[Filing | Answer | Rejection]:
        """Yield filings, an authority's answers, and rejections; of a test message only the rejections, since it must not have effects."""
        if self.refusal is not None:
            self._rejected = 1
            yield self.refusal
            self._over = True
            return
        if self._parsed is None:
            return
        effective = not self._parsed.head.test
        for outcome in self._parsed if self._taken is None else self._noted(self._parsed, self._taken):
            if isinstance(outcome, Filing):
                if not effective:
                    continue
                self._filings.append(outcome.filing_id)
            else:
                if isinstance(outcome, Answer) and not self._may_answer:
                    outcome = self._not_an_authority(outcome)
                if isinstance(outcome, Rejection):
                    self._rejected += 1
                elif effective:
                    self._answers += 1
                else:
                    continue
            yield outcome
        self._over = True

    @property
    def acknowledges(self) -> bool:
        """Whether the sender asked for acknowledgements."""
        return self._taken is not None

    @property
    def over(self) -> bool:
        """Whether the message was read to its end."""
        return self._over

    def acknowledge(self, dialect: Dialect) -> None:
        """Note from now on what becomes of each item, for an acknowledgement in *dialect*; to be called before the first is read."""
        self._taken, self._dialect = [], dialect

    def _noted(self, parsed: Parsed, taken: list[Taken]) -> Iterator[Filing | Answer | Rejection]:
        """Yield what *parsed* yields, and note it."""
        for outcome in parsed:
            if isinstance(outcome, Answer) and not self._may_answer:
                outcome = self._not_an_authority(outcome)
            taken.append(Taken(outcome.position, outcome.key, isinstance(outcome, Rejection), tuple(outcome.findings or ())))
            yield outcome

    def acknowledgement(self, now: datetime) -> MessageAcknowledged:
        """Return the answer to the message as a whole, in the sender's own kind where that has one, else item by item.

        The same bytes have the same id, and the answer in kind is dated with the receipt, so that it is the same when the message is read
        again.
        """
        raw, head, taken = self._raw, self.head, tuple(self._taken or ())
        id = derived_id("acknowledged", raw.participant, message_id_of(raw.body))
        received = Received(id, raw, head, taken, self.refusal.findings if self.refusal is not None else ())
        refused = sum(each.refused for each in taken)
        in_kind = acknowledgement(received, self._module, self._dialect)
        return MessageAcknowledged(
            event_id=id,
            key=f"message:{id}",
            participant=raw.participant,
            acknowledged_at=now,
            received_at=raw.received_at,
            submission_id=raw.submission_id,
            format=self._module.NAME if self._module is not None else None,
            message_id=head.message_id if head is not None else None,
            test=(head is not None and head.test) or None,
            items=len(taken) - refused,
            rejected=refused if self.refusal is None else 1,
            acknowledgement=in_kind,
            details=details(received) if in_kind is None else None,
        )

    def _not_an_authority(self, answer: Answer) -> Rejection:
        message_id = self.head.message_id if self.head else None
        return rejection(self._raw, (refusal("SENDER-ROLE"),), message_id=message_id, position=answer.answer_id)

    def summary(self, now: datetime) -> SubmissionRead | None:
        """Return the second answer to a receipt of the HTTP door: what was well-formed. None without a receipt, or when all was refused."""
        submission = self._raw.submission_id
        if submission is None or self.head is None:
            return None
        return SubmissionRead(
            event_id=derived_id("read", submission),
            key=f"submission:{submission}",
            submission_id=submission,
            participant=self._raw.participant,
            format=self.head.format,
            message_id=self.head.message_id,
            read_at=now,
            items=len(self._filings) + self._answers,
            rejected=self._rejected,
            filings=tuple(self._filings),
        )


def read(raw: RawMessage, participant: Participant | None) -> Reading:
    """Begin to read *raw*. Every refusal has a code of :data:`shared.formats.rules.RULES`; nothing is raised for what a sender may do
    wrong."""
    if participant is None:
        return _refused(raw, "SENDER-UNKNOWN")
    if not participant.active:
        return _refused(raw, "SENDER-INACTIVE")
    try:
        xml.check_arrival(raw.body)
        module = recognise(raw.body, raw.content_type, raw.format_hint, participant.dialect.columns, participant.dialect.encoding)
        if participant.formats and module.NAME not in participant.formats:
            return _refused(raw, "FORMAT-NOT-AGREED", f"{module.NAME} was not agreed with {participant.id}.", module)
        return _parse(raw, participant, module)
    except UnknownFormat as exc:
        return _refused(raw, "MSG-FORMAT", str(exc))
    except MalformedMessage as exc:
        return _malformed(raw, participant, exc)


def _parse(raw: RawMessage, participant: Participant, module: Reader) -> Reading:
    try:
        parsed = module.parse(raw, participant.dialect)
        return Reading(raw, module, parsed=parsed, may_answer=participant.role in (Role.CUSTOMS, Role.AGENCY))
    except MalformedMessage as exc:
        return _malformed(raw, participant, exc, module)


def _refused(raw: RawMessage, code: str, message: str | None = None, module: Reader | None = None) -> Reading:
    findings = (refusal(code, message),)
    name = module.NAME if module else None
    return Reading(raw, module, refusal=rejection(raw, findings, format=name, message_id=message_id_of(raw.body)))


def _malformed(raw: RawMessage, participant: Participant, exc: MalformedMessage, module: Reader | None = None) -> Reading:
    finding = refused(exc, raw.body, participant.dialect.encoding)
    return Reading(raw, module, refusal=rejection(raw, (finding,), format=module.NAME if module else None))


def made_at(event: FilingRejected | SubmissionRead | MessageAcknowledged) -> datetime:
    """Return when ingest made *event*."""
    match event:
        case FilingRejected():
            return event.rejected_at
        case SubmissionRead():
            return event.read_at
        case MessageAcknowledged():
            return event.acknowledged_at


def rejected(outcome: Rejection, now: datetime) -> FilingRejected:
    """Return the event that tells the sender of *outcome*."""
    return FilingRejected(
        event_id=derived_id("rejected", outcome.rejection_id),
        key=outcome.key or f"rejection:{outcome.rejection_id}",
        rejected_at=now,
        rejection=outcome,
        parties=(outcome.participant,),
    )
