"""One participant per family sends, is answered in its own kind, and the decision reaches it in its own format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.contracts import Topics, header
from shared.formats import csv
from tests.families import CARGO_IMP, CARGO_XML, EDIFACT, FAMILIES, POSTAL, TABLES, Family
from tests.hub import ConnectedHub
from tests.parcels import a_house, a_postal_item, itmatt, manifest
from tests.samples import FOLDER


class Outbound:
    """What lies on the families' own topics, from now on."""

    def __init__(self, consumer: AIOKafkaConsumer, topics: Topics) -> None:
        self._consumer = consumer
        self._topics = topics
        self._records: list[ConsumerRecord[bytes, bytes]] = []

    def of(self, family: Family) -> list[bytes]:
        """Return the bodies on the family's topic."""
        return [record.value or b"" for record in self.records(family)]

    def records(self, family: Family) -> list[ConsumerRecord[bytes, bytes]]:
        """Return the records on the family's topic."""
        topic = self._topics.outbound(family.participant.id)
        return [record for record in self._records if record.topic == topic]

    async def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Return when *condition* holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, [(record.topic, record.value[:300]) for record in self._records]
            for batch in (await self._consumer.getmany(timeout_ms=200)).values():
                self._records += batch


@asynccontextmanager
async def outbound(hub: ConnectedHub) -> AsyncIterator[Outbound]:
    topics = [hub.topics.outbound(family.participant.id) for family in FAMILIES]
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=hub.hub.bootstrap, enable_auto_commit=False, auto_offset_reset="latest")
    await consumer.start()
    try:
        while not consumer.assignment():
            await asyncio.sleep(0.05)
        await consumer.seek_to_end()
        for place in consumer.assignment():
            await consumer.position(place)
        yield Outbound(consumer, hub.topics)
    finally:
        await consumer.stop()


def told_only_to(family: Family, seen: Outbound) -> bool:
    """Whether nobody but *family* was told anything, and every record says whose subscription it is."""
    own = {str(subscription.id) for subscription in family.subscriptions}
    return all(not seen.records(other) for other in FAMILIES if other is not family) and all(
        header(record.headers, "ce_subscription") in own for record in seen.records(family)
    )


async def test_edifact_is_answered_with_contrl_then_aperak_and_cusres(hub: ConnectedHub) -> None:
    message = (FOLDER / "cuscar" / "reference.edi").read_bytes()
    async with outbound(hub) as seen:
        await hub.stream(EDIFACT.participant.id, message)
        await seen.until(lambda: {kind(body) for body in seen.of(EDIFACT)} == {"CONTRL", "APERAK", "CUSRES"})
        contrl = next(record for record in seen.records(EDIFACT) if kind(record.value) == "CONTRL")
        assert b"UCI+20260301000017+JXEXPRESS:ZZZ+CUSTOMSHUB:ZZZ+7" in contrl.value
        assert header(contrl.headers, "content-type") == "application/edifact"
        assert told_only_to(EDIFACT, seen)

        await hub.stream(EDIFACT.participant.id, message)
        await seen.until(lambda: [kind(body) for body in seen.of(EDIFACT)].count("CONTRL") == 2)
        again = [record for record in seen.records(EDIFACT) if kind(record.value) == "CONTRL"][1]
        assert (again.key, again.value, again.headers) == (contrl.key, contrl.value, contrl.headers)


async def test_an_interchange_that_is_cut_off_is_refused_with_contrl(hub: ConnectedHub) -> None:
    async with outbound(hub) as seen:
        await hub.stream(EDIFACT.participant.id, (FOLDER / "cuscar" / "cut_off.edi").read_bytes())
        await seen.until(lambda: any(kind(body) == "CONTRL" for body in seen.of(EDIFACT)))
        contrl = next(body for body in seen.of(EDIFACT) if kind(body) == "CONTRL")
    assert b"+4+13'" in contrl


async def test_cargo_xml_is_answered_with_xfnm_then_xcsn(hub: ConnectedHub) -> None:
    async with outbound(hub) as seen:
        await hub.stream(CARGO_XML.participant.id, (FOLDER / "xfzb" / "reference.xml").read_bytes())
        await seen.until(lambda: len(seen.of(CARGO_XML)) >= 2)
        acknowledged = next(body for body in seen.of(CARGO_XML) if b"<ram:StatusCode>Received<" in body)
        assert b"<rsm:Response " in acknowledged
        assert b">No Errors<" in acknowledged
        await seen.until(lambda: any(b"<rsm:CustomsStatusNotification " in body for body in seen.of(CARGO_XML)))
        assert told_only_to(CARGO_XML, seen)


async def test_cargo_imp_is_answered_with_fma_then_psn(hub: ConnectedHub) -> None:
    async with outbound(hub) as seen:
        await hub.stream(CARGO_IMP.participant.id, (FOLDER / "fhl" / "reference.txt").read_bytes())
        await seen.until(lambda: {body.split(b"\r\n")[0][:3] for body in seen.of(CARGO_IMP)} == {b"FMA", b"PSN"})
        acknowledged = next(body for body in seen.of(CARGO_IMP) if body.startswith(b"FMA"))
        assert b"ACK/MESSAGE RECEIVED" in acknowledged
        assert b"HBS/JXE260300017/" in acknowledged
        assert told_only_to(CARGO_IMP, seen)


async def test_a_spreadsheet_comes_back_with_a_column_of_findings_and_then_the_decisions(hub: ConnectedHub) -> None:
    parcels = [a_house("DE"), a_house("DE")]
    table = manifest(*parcels)
    async with outbound(hub) as seen:
        await hub.stream(TABLES.participant.id, table)
        await seen.until(lambda: len(seen.of(TABLES)) == 3)
        back = next(body for body in seen.of(TABLES) if csv.FINDINGS.encode() in body.splitlines()[0])
        assert all(parcel.number.encode() in back for parcel in parcels)
        decided = [body for body in seen.of(TABLES) if body is not back]
        assert {parcel.number for parcel in parcels} == {body.decode().splitlines()[1].split(",")[3].strip('"') for body in decided}
        assert told_only_to(TABLES, seen)


async def test_a_post_is_told_its_decision_in_cusrsp_itmref_and_emsevt(hub: ConnectedHub) -> None:
    parcel = a_postal_item("NL")
    async with outbound(hub) as seen:
        await hub.stream(POSTAL.participant.id, itmatt(parcel))
        await seen.until(lambda: len(seen.of(POSTAL)) >= 3)
        assert {body.partition(b"<")[2].split(b" ")[0] for body in map(without_declaration, seen.of(POSTAL))} == {
            b"CusrspFile",
            b"ItmrefFile",
            b"EmsevtFile",
        }
        assert all(parcel.number.encode() in body for body in seen.of(POSTAL))
        assert told_only_to(POSTAL, seen)


def kind(body: bytes | None) -> str:
    """Return the type of an interchange's first message."""
    return (body or b"").partition(b"UNH+1+")[2].partition(b":")[0].decode()


def without_declaration(body: bytes) -> bytes:
    """Return an XML document from its root on."""
    return body.partition(b"?>")[2].lstrip()
