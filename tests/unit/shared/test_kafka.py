"""What the reader does about the ways of the libraries beneath it, without a broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka import Commits


class ClosedTransport:
    """What a stream's writer does on the hub's event loop once the peer is gone."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    def close(self) -> None:
        self.closed = True


class Record:
    def __init__(self, offset: int) -> None:
        self.topic, self.partition, self.offset = "t", 0, offset


class Consumer:
    """A consumer that owns one partition and keeps what is committed."""

    def __init__(self) -> None:
        self.commits: list[dict[Any, int]] = []
        self.mine = {("t", 0)}

    def assignment(self) -> set[tuple[str, int]]:
        return self.mine

    async def commit(self, offsets: dict[Any, int]) -> None:
        await asyncio.sleep(0)
        self.commits.append(dict(offsets))


def commits() -> tuple[Commits, Consumer]:
    made, consumer = Commits("g"), Consumer()
    made.consumer = consumer
    return made, consumer


async def test_a_connection_that_the_event_loop_closed_is_a_broken_connection() -> None:
    connection = AIOKafkaConnection("127.0.0.1", 1)
    connection._writer, connection._reader = ClosedTransport(), asyncio.StreamReader()
    connection._read_task = asyncio.create_task(asyncio.sleep(0))
    connection._versions = {3: (0, 5)}
    with pytest.raises(KafkaConnectionError, match="handler is closed"):
        connection.send(MetadataRequest([]))
    assert not connection.connected()


async def test_offsets_of_many_batches_are_committed_together_and_the_last_one_always() -> None:
    made, consumer = commits()
    for offset in range(20):
        made.note([Record(offset)], made.assignment)
        await asyncio.sleep(0.005)
    await made.flush()
    assert consumer.commits[-1] == {("t", 0): 20}
    assert len(consumer.commits) < 20
    assert not made.behind


async def test_an_offset_never_moves_back() -> None:
    made, consumer = commits()
    made.note([Record(9)], made.assignment)
    made.note([Record(4)], made.assignment)
    await made.flush()
    assert consumer.commits == [{("t", 0): 10}]


async def test_what_was_read_before_partitions_were_given_anew_is_not_committed_after() -> None:
    made, consumer = commits()
    before = made.assignment
    made.note([Record(9)], before)
    made.assigned()
    made.note([Record(30)], before)
    await made.flush()
    assert consumer.commits == []
    assert not made.behind


async def test_behind_a_batch_that_was_cut_off_nothing_is_committed_until_partitions_are_given_anew() -> None:
    made, consumer = commits()
    made.stop()
    made.note([Record(9)], made.assignment)
    await made.flush()
    assert consumer.commits == []
    made.assigned()
    made.note([Record(3)], made.assignment)
    await made.flush()
    assert consumer.commits == [{("t", 0): 4}]
