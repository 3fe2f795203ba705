"""One participant per family sends, is answered in its own kind, and the decision reaches it in its own format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from orjson import dumps, loads

from shared.contracts import Topics, header
from shared.formats import csv, manifest_xlsx, xlsx
from tests.families import (
    ACCEPTED,
    ACKNOWLEDGED,
    ASYCUDA,
    CARGO_IMP,
    CARGO_XML,
    DECIDED,
    EDIFACT,
    FAMILIES,
    ICS2,
    LOW_VALUE,
    NATIONAL_POST,
    NEUTRAL,
    PAYMENTS,
    POSTAL,
    SHOP,
    SYSTEM_POST,
    TABLES,
    UK,
    Family,
)
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
        await hub.submit(EDIFACT.participant.id, message, "application/EDIFACT")
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
        await hub.submit(CARGO_IMP.participant.id, (FOLDER / "fhl" / "reference.txt").read_bytes(), "text/plain")
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


async def test_a_workbook_over_http_comes_back_with_a_column_of_findings_and_then_the_decisions(hub: ConnectedHub) -> None:
    parcels = [a_house("DE"), a_house("DE")]
    _, header, rows = csv.as_it_came(manifest(*parcels), "utf-8")
    async with outbound(hub) as seen:
        await hub.submit(TABLES.participant.id, xlsx.write(header, [cells for _, cells in rows]), manifest_xlsx.CONTENT_TYPES[0])
        await seen.until(lambda: len(seen.of(TABLES)) == 3)
        (back,) = [body for body in seen.of(TABLES) if body.startswith(b"PK")]
        names, first, second = (texts for _, texts in xlsx.read(back).rows)
        assert [dict(zip(names, texts, strict=False))["hawb"] for texts in (first, second)] == [parcel.number for parcel in parcels]
        assert csv.FINDINGS in names
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


async def test_a_post_on_the_declaration_system_is_answered_and_told_in_responses_of_the_system(hub: ConnectedHub) -> None:
    async with outbound(hub) as seen:
        await hub.stream(SYSTEM_POST.participant.id, (FOLDER / "cds-view" / "declaration.xml").read_bytes())
        await seen.until(lambda: any(response(body)[0] == "2" for body in seen.of(SYSTEM_POST)))
        assert response(seen.of(SYSTEM_POST)[0]) == ("99", "REGISTERED")
        assert response(seen.of(SYSTEM_POST)[-1]) == ("2", "RELEASE")
        assert all(b"<Id>LZ314159268US</Id>" in body for body in seen.of(SYSTEM_POST))
        assert told_only_to(SYSTEM_POST, seen)


async def test_an_ics2_filing_is_refused_with_ie3n99_and_taken_with_a_receipt_and_decisions_in_json(hub: ConnectedHub) -> None:
    filing = (FOLDER / "ie3f32" / "reference.xml").read_bytes()
    async with outbound(hub) as seen:
        await hub.stream(ICS2.participant.id, filing.replace(b"<country>CN</country>", b"<country>QQ</country>"))
        await seen.until(lambda: len(seen.of(ICS2)) == 2)
        refused = next(body for body in seen.of(ICS2) if without_declaration(body).startswith(b"<IE3N99 "))
        assert b"<functionalReference>JXE2603010000017A1</functionalReference>" in refused
        assert b"consignor/address/country</messageElementPath>" in refused

        await hub.stream(ICS2.participant.id, filing)
        await seen.until(lambda: decisions(ICS2, seen))
        (whole,) = [notice for notice in notices(ICS2, seen, ACKNOWLEDGED) if "details" in notice]
        (house,) = whole["details"]
        assert (whole["message_id"], house["key"], house["refused"]) == ("JXE2603010000017A1", "express:ics2-filer:JXE2603000017", False)
        assert decisions(ICS2, seen)[0]["key"] == "express:ics2-filer:JXE2603000017"
        assert told_only_to(ICS2, seen)


async def test_a_uk_declaration_is_received_and_decided_in_notifications(hub: ConnectedHub) -> None:
    declaration = (FOLDER / "wco-declaration" / "reference.xml").read_bytes()
    async with outbound(hub) as seen:
        await hub.stream(UK.participant.id, declaration)
        await seen.until(lambda: len({function_code(body) for body in seen.of(UK)}) >= 2)
        assert function_code(seen.of(UK)[0]) == b"02"
        assert {function_code(body) for body in seen.of(UK)[1:]} <= {b"05", b"06", b"08", b"14", b"51", b"52"}
        assert all(b"<FunctionalReferenceID>JXE20260301H7000017</FunctionalReferenceID>" in body for body in seen.of(UK))
        assert told_only_to(UK, seen)


@pytest.mark.parametrize(
    ("family", "sample", "number"),
    [
        (NATIONAL_POST, "national-item/reference.xml", "UY506070808ES"),
        (LOW_VALUE, "h7-json/reference.json", "JXE2603000017"),
        (ASYCUDA, "awmds/single.xml", "JXE2603000017"),
        (NEUTRAL, "neutral/single.json", "JXE2603000017"),
    ],
    ids=lambda value: value.participant.id if isinstance(value, Family) else None,
)
async def test_who_has_no_message_for_it_is_answered_and_told_in_json(hub: ConnectedHub, family: Family, sample: str, number: str) -> None:
    async with outbound(hub) as seen:
        await hub.stream(family.participant.id, (FOLDER / sample).read_bytes())
        await seen.until(lambda: notices(family, seen, ACKNOWLEDGED) and decisions(family, seen))
        (whole,) = notices(family, seen, ACKNOWLEDGED)
        (item,) = whole["details"]
        assert (whole["items"], whole["rejected"], item["refused"]) == (1, 0, False)
        assert item["key"].endswith(number)
        assert {notice["key"] for notice in decisions(family, seen)} == {item["key"]}
        assert told_only_to(family, seen)


async def test_refused_items_are_told_in_json_in_the_names_of_their_sender(hub: ConnectedHub) -> None:
    async with outbound(hub) as seen:
        await hub.stream(NEUTRAL.participant.id, (FOLDER / "neutral-lines" / "refused_lines.jsonl").read_bytes())
        await seen.until(lambda: notices(NEUTRAL, seen, ACKNOWLEDGED))
        (whole,) = notices(NEUTRAL, seen, ACKNOWLEDGED)
        refused = [item for item in whole["details"] if item["refused"]]
        assert len(refused) == whole["rejected"] > 0
        assert all(finding["sender_path"].startswith("line ") for item in refused for finding in item["findings"])


async def test_shop_payment_and_carrier_are_each_answered_and_the_decision_reaches_who_may_hear_it(hub: ConnectedHub) -> None:
    order = loads((FOLDER / "order" / "single.json").read_bytes())
    paid = {"payment_id": "PAY-71", "order_id": "778171", "platform_id": SHOP.participant.id}
    item = loads((FOLDER / "neutral" / "single.json").read_bytes())
    item["consignment"] |= {
        "house_transport_document_id": "JXE2603000071",
        "orders": [{"platform_id": SHOP.participant.id, "order_id": "778171"}],
    }
    async with outbound(hub) as seen:
        await hub.stream(SHOP.participant.id, dumps(order | {"order_id": "778171", "tracking_numbers": ["JXE2603000071"]}))
        await hub.stream(PAYMENTS.participant.id, dumps(paid))
        await seen.until(lambda: notices(SHOP, seen, ACKNOWLEDGED) and notices(SHOP, seen, ACCEPTED))
        await seen.until(lambda: notices(PAYMENTS, seen, ACKNOWLEDGED))
        await hub.stream(NEUTRAL.participant.id, dumps(item))
        await seen.until(lambda: decisions(SHOP, seen) and decisions(NEUTRAL, seen))
        assert [notice["details"][0]["key"] for notice in notices(SHOP, seen, ACKNOWLEDGED)] == ["order:json-shop:778171"]
        assert [notice["details"][0]["refused"] for notice in notices(PAYMENTS, seen, ACKNOWLEDGED)] == [False]
        assert not decisions(PAYMENTS, seen)
        assert {notice["key"] for notice in decisions(SHOP, seen)} == {"express:dataset-carrier:JXE2603000071"}


def notices(family: Family, seen: Outbound, type: str) -> list[dict[str, Any]]:
    """Return the notices of a type that *family* was told in JSON."""
    told = [loads(record.value) for record in seen.records(family) if header(record.headers, "content-type") == "application/json"]
    return [notice for notice in told if notice["type"] == type]


def decisions(family: Family, seen: Outbound) -> list[dict[str, Any]]:
    """Return the decisions that *family* was told in JSON."""
    return notices(family, seen, DECIDED)


def response(body: bytes) -> tuple[str, str]:
    """Return native code and word of a response of the declaration system."""
    words = body.partition(b"<ExtraFieldValues")[2].partition(b"<a:string>")[2].partition(b"<")[0]
    return body.partition(b"<DecisionCd>")[2].partition(b"<")[0].decode(), words.decode()


def function_code(body: bytes) -> bytes:
    """Return the function code of a notification."""
    return body.partition(b"<FunctionCode>")[2].partition(b"<")[0]


def kind(body: bytes | None) -> str:
    """Return the type of an interchange's first message."""
    return (body or b"").partition(b"UNH+1+")[2].partition(b":")[0].decode()


def without_declaration(body: bytes) -> bytes:
    """Return an XML document from its root on."""
    return body.partition(b"?>")[2].lstrip()
