"""The parts behind the door: bodies counted while read, work done together, cursors, the projection's rows."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.ingest.store import Cursor
from services.ingest.submissions import changes
from services.ingest.together import Together
from shared.contracts import SubmissionRead, event_headers
from shared.security import BodyBroken, BodyTooLarge, BodyTooSlow, EncodingUnsupported, bearer, read_body, same

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


async def chunks(body: bytes, size: int = 10) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


# --- bodies -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("encoding", [None, "identity", "gzip", "GZIP"])
async def test_a_body_is_read_whole_however_it_is_cut(size: int, encoding: str | None) -> None:
    plain = bytes(range(256)) * 4
    sent = gzip.compress(plain) if encoding and encoding.lower() == "gzip" else plain
    assert await read_body(chunks(sent, size), encoding=encoding, limit=1024) == plain


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_the_limit_is_on_the_plain_bytes(encoding: str | None) -> None:
    sent = gzip.compress(b"x" * 1025) if encoding else b"x" * 1025
    with pytest.raises(BodyTooLarge):
        await read_body(chunks(sent, 5), encoding=encoding, limit=1024)


async def test_a_bomb_is_never_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        await read_body(chunks(bomb, len(bomb)), encoding="gzip", limit=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "deflate"])
async def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(EncodingUnsupported):
        await read_body(chunks(b"x"), encoding=encoding)


async def test_half_a_gzip_stream_is_broken() -> None:
    with pytest.raises(BodyBroken):
        await read_body(chunks(gzip.compress(b"hello")[:-1]), encoding="gzip")


async def test_a_body_has_one_time_limit_in_total() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"x"

    with pytest.raises(BodyTooSlow):
        await read_body(drip(), timeout_seconds=0.1)


def test_a_bearer_token_is_taken_from_the_header_alone() -> None:
    assert bearer("Bearer abc") == bearer("bearer  abc") == "abc"
    assert [bearer(text) for text in (None, "", "Bearer", "Bearer a b", "Token abc", "Bearer " + "x" * 600)] == [None] * 6


def test_secrets_are_compared_as_text_or_bytes() -> None:
    assert same("a", b"a")
    assert not same("a", "b")


# --- together -----------------------------------------------------------------------------------------------------------------------------


async def test_calls_that_come_while_a_round_runs_share_the_next_one() -> None:
    rounds: list[list[int]] = []

    async def double(items: Sequence[int]) -> list[int]:
        rounds.append(list(items))
        await asyncio.sleep(0.01)
        return [2 * item for item in items]

    together = Together(double, limit=6)
    assert await asyncio.gather(*(together(n) for n in range(10))) == [2 * n for n in range(10)]
    assert [len(each) for each in rounds] == [6, 4]
    assert await together(21) == 42


async def test_an_error_is_everybodys_in_the_round_and_nobodys_after_it() -> None:
    async def picky(items: Sequence[int]) -> Sequence[int]:
        if 3 in items:
            raise ValueError(3)
        return items

    together = Together(picky, limit=2)
    results = await asyncio.gather(*(together(n) for n in (1, 2, 3, 4, 5)), return_exceptions=True)
    assert [isinstance(each, ValueError) for each in results] == [False, False, True, True, False]


async def test_a_caller_who_gives_up_harms_no_neighbour() -> None:
    gate = asyncio.Event()

    async def slow(items: Sequence[int]) -> Sequence[int]:
        await gate.wait()
        return items

    together = Together(slow)
    first, second = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await second == 2


# --- cursors and rows ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", [Cursor(ordinal=0), Cursor(ordinal=9999), Cursor(rejection_id=UUID(int=7))])
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "i", "i-1", "r", "r1", "i١", "i1234567890"])
def test_other_cursors_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Cursor.parse(text)


def a_record(event: SubmissionRead, submission: object = None, type: str = "guichet.submission.read") -> Any:
    extra = [("submission", str(submission))] if submission else []
    headers = event_headers(id=event.event_id, type=type, source="/test", time=NOW, extra=extra)
    return SimpleNamespace(headers=headers, value=event.to_json())


def a_reading(submission: UUID, items: int = 1) -> SubmissionRead:
    filings = tuple(UUID(int=n) for n in range(items))
    return SubmissionRead(
        event_id=uuid4(), key="k", submission_id=submission, participant="poste-a", read_at=NOW, items=items, rejected=0, filings=filings
    )


def test_only_events_of_submissions_are_parsed() -> None:
    submission = uuid4()
    foreign = SimpleNamespace(headers=[("ce_type", b"guichet.decision.made")], value=b"not even JSON")
    unknown = a_record(a_reading(submission), submission, type="guichet.something.else")
    found = changes([foreign, a_record(a_reading(submission)), unknown, a_record(a_reading(submission, 2), submission)])
    assert [row["id"] for row in found.read] == [submission]
    assert [row["ordinal"] for row in found.items] == [0, 1]


def test_a_row_stands_once_in_a_batch_and_rows_stand_in_key_order() -> None:
    submissions = sorted((uuid4(), uuid4()), reverse=True)
    found = changes([a_record(a_reading(s, n), s) for n in (1, 2) for s in submissions])
    assert [(row["id"], row["items"]) for row in found.read] == [(s, 2) for s in sorted(submissions)]
    assert len(found.items) == 4
