"""The yardstick: the least a Kafka loop in Python can do with the same items. No rules, no store, no guarantees beyond its own commit.

One process: ``getmany(500)`` → hardened lxml parse and walk → orjson → keyed produce → commit.
"""

from __future__ import annotations

import asyncio
import os
import sys
from zlib import crc32

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from lxml import etree

PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, remove_comments=True
)


def flat(body: bytes) -> tuple[str, dict[str, str]]:
    """Return the item's number and every leaf of the message by its path of local names."""
    record: dict[str, str] = {}
    number = ""

    def walk(element: etree._Element, path: str) -> None:
        nonlocal number
        for child in element:
            name = child.tag
            name = name[name.index("}") + 1 :]
            if len(child):
                walk(child, f"{path}{name}/")
            elif child.text:
                record[f"{path}{name}"] = child.text
                if name == "Id":
                    number = child.text

    walk(etree.fromstring(body, PARSER), "")
    return number, record


async def main(source: str, target: str) -> None:
    """Read *source* and write *target* until stopped."""
    servers = os.environ["KAFKA_BOOTSTRAP"]
    consumer = AIOKafkaConsumer(source, bootstrap_servers=servers, group_id="bare", enable_auto_commit=False, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=256 * 1024)
    await consumer.start()
    await producer.start()
    count = len(await producer.partitions_for(target))
    while True:
        batches = await consumer.getmany(timeout_ms=200, max_records=500)
        sent = []
        for records in batches.values():
            for record in records:
                number, values = flat(record.value)
                key = number.encode()
                sent.append(await producer.send(target, orjson.dumps(values), key, partition=crc32(key) % count))
        for future in sent:
            await future
        if sent:
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
