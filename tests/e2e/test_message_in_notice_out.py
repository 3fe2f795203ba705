"""A message comes in at a door, a notice goes out, and every party hears what is its business."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from lxml import etree

from services.sandbox.behaviour import Behaviour, HookBehaviour
from services.sandbox.traffic import CARRIER, PLATFORM, POST
from shared.contracts import Command, Notice, Outcome
from tests.hub import QUIET, ConnectedHub
from tests.parcels import (
    a_house,
    a_postal_item,
    dearer,
    house_key,
    itmatt,
    key_of_order,
    manifest,
    ordered,
    orders,
    postal_key,
    without,
)


@pytest.mark.parametrize("as_csv", [True, False], ids=["csv", "json"])
async def test_a_manifest_over_http_ends_in_a_signed_webhook(hub: ConnectedHub, as_csv: bool):
    parcel = a_house("DE")
    async with hub.watch() as watch:
        receipt = await hub.submit(CARRIER, manifest(parcel, as_csv=as_csv), "text/csv" if as_csv else "application/json")
        await watch.until(lambda: watch.decisions(house_key(parcel)), "a decision")
        decision = watch.decisions(house_key(parcel))[-1]
        assert decision.outcome is Outcome.RELEASE
        await watch.until(lambda: not watch.checker.outstanding(), "the webhook")
    # The receiver keeps only what carries a valid signature.
    told = [entry for entry in await hub.received(CARRIER) if entry["key"] == house_key(parcel) and entry.get("outcome") == "release"]
    assert [entry["notice_id"] for entry in told] == [str(decision.event_id)]

    status = await hub.status(CARRIER, receipt["receipt_id"])
    assert status["received"]["sha256"] == receipt["sha256"]
    assert (status["well_formed"]["items"], status["well_formed"]["rejected"]) == (1, 0)
    assert status["decided"]["outcomes"] == {"release": 1}
    times = [datetime.fromisoformat(status[answer]["at"]) for answer in ("received", "well_formed", "accepted", "decided")]
    assert times[0] <= min(times[1:])


async def test_an_itmatt_over_kafka_ends_in_cusrsp_and_on_the_release_topic(hub: ConnectedHub):
    parcel = a_postal_item("NL")
    key = postal_key(parcel)
    async with hub.watch() as watch:
        await hub.stream(POST, itmatt(parcel), key="USP-NLP")
        await watch.until(lambda: watch.told(f"outbound.{POST}", key) and watch.told("release.nl.v1", key), "both notices")
        answer = etree.fromstring(watch.told(f"outbound.{POST}", key)[0])
        notice = Notice.from_json(watch.told("release.nl.v1", key)[0])
    assert answer.findtext("{*}Item/{*}MailObject/{*}Id") == parcel.number
    assert answer.findtext("{*}Item/{*}Response/{*}Data/{*}HubDecision") in ("CLEAR", "RELEASE")
    assert notice.outcome is Outcome.RELEASE
    assert watch.told("release.de.v1", key) == []


@pytest.mark.parametrize("order_first", [True, False], ids=["before", "after"])
async def test_an_order_is_linked_whether_it_comes_before_or_after_its_consignment(hub: ConnectedHub, order_first: bool):
    parcel = ordered(a_house("FR"))
    key = house_key(parcel)

    async def file_order() -> None:
        await hub.submit(PLATFORM, orders([parcel]), "application/json")
        await watch.until(lambda: watch.accepted(key_of_order(parcel)), "the order's acceptance")

    async with hub.watch() as watch:
        if order_first:
            await file_order()
        await hub.submit(CARRIER, manifest(parcel), "text/csv")
        await watch.until(lambda: watch.decisions(key), "a decision")
        if not order_first:
            await file_order()
        await watch.until(lambda: PLATFORM in watch.decisions(key)[-1].parties, "a decision for the platform too")
        await watch.until(lambda: not watch.checker.outstanding(), "the platform's mailbox")
        last = watch.decisions(key)[-1]
    assert last.outcome is Outcome.RELEASE
    assert (hub.subscription(PLATFORM), last.event_id) in watch.checker.delivered


async def test_the_same_message_again_changes_nothing(hub: ConnectedHub):
    parcel = a_postal_item("BE")
    message = itmatt(parcel, country="BE")
    async with hub.watch() as watch:
        await hub.stream(POST, message, key="USP-BEP")
        await watch.until(lambda: watch.decisions(postal_key(parcel)), "a decision")
        await hub.stream(POST, message, key="USP-BEP")
        other = a_postal_item("BE")
        await hub.stream(POST, itmatt(other, country="BE"), key="USP-BEP")
        await watch.until(lambda: watch.decisions(postal_key(other)), "what was sent after it")
        await watch.until(lambda: len(watch.decisions(postal_key(parcel))) > 1 or not watch.checker.outstanding(), "quiet")
    assert len({event.event_id for event in watch.decisions(postal_key(parcel))}) == 1
    assert len({event.event_id for event in watch.accepted(postal_key(parcel))}) == 1


async def test_a_correction_replaces_and_a_cancellation_withdraws(hub: ConnectedHub):
    parcel = a_postal_item("NL")
    key = postal_key(parcel)
    async with hub.watch() as watch:
        await hub.stream(POST, itmatt(parcel), key="USP-NLP")
        await watch.until(lambda: watch.decisions(key), "the first decision")
        await hub.stream(POST, itmatt(dearer(parcel), function="REPLACE", version=2), key="USP-NLP")
        await watch.until(lambda: len(watch.decisions(key)) == 2, "the second decision")
        await hub.stream(POST, itmatt(parcel, function="CANCEL", version=3), key="USP-NLP")
        await watch.until(lambda: watch.decisions(key)[-1].outcome is Outcome.WITHDRAWN, "the withdrawal")
    assert [event.effect for event in watch.accepted(key)] == ["created", "changed", "withdrawn"]
    assert [event.sequence for event in watch.decisions(key)] == sorted(event.sequence for event in watch.decisions(key))


async def test_a_bad_item_among_forty_nine_good_ones_harms_only_itself(hub: ConnectedHub):
    parcels = [a_postal_item("NL") for _ in range(50)]
    message = without("GrossWeight", itmatt(*parcels), number=7)
    async with hub.watch() as watch:
        await hub.stream(POST, message, key="USP-NLP")
        good = [parcel for number, parcel in enumerate(parcels, 1) if number != 7]
        await watch.until(lambda: all(watch.decisions(postal_key(parcel)) for parcel in good), "forty-nine decisions")
        await watch.until(lambda: watch.rejections(POST), "the rejection")
    rejections = {event.event_id: event.rejection for event in watch.rejections(POST)}
    assert len(rejections) == 1
    (rejection,) = rejections.values()
    assert rejection.position == "Item[7]"
    assert "GrossWeight" in (rejection.findings[0].sender_path or "")
    assert not watch.accepted(postal_key(parcels[6]))


async def test_a_truncated_message_is_refused_with_the_place_where_reading_stopped(hub: ConnectedHub):
    message = itmatt(a_postal_item("NL"))
    async with hub.watch() as watch:
        await hub.stream(POST, message[: len(message) // 2], key="USP-NLP")
        await watch.until(lambda: watch.rejections(POST), "the rejection")
    (finding,) = watch.rejections(POST)[0].rejection.findings
    assert finding.line is not None


async def test_an_officer_holds_and_releases(hub: ConnectedHub):
    parcel = a_house("NL")
    key = house_key(parcel)

    def officer(action: str) -> Command:
        return Command.model_validate(
            {
                "command_id": uuid4(),
                "key": key,
                "action": action,
                "by": "officer 7",
                "because": "the label does not fit the goods",
                "issued_at": datetime.now(UTC),
            }
        )

    async with hub.watch() as watch:
        await hub.submit(CARRIER, manifest(parcel), "text/csv")
        await watch.until(lambda: watch.decisions(key), "a decision")
        await hub.command(officer("hold"))
        await watch.until(lambda: watch.decisions(key)[-1].outcome is Outcome.HOLD, "the hold")
        await hub.command(officer("release"))
        await watch.until(lambda: watch.decisions(key)[-1].outcome is Outcome.RELEASE, "the release")
        await watch.until(lambda: watch.told("hold.nl.v1", key) and len(watch.told("release.nl.v1", key)) == 2, "customs' notices")
        await watch.until(lambda: not watch.checker.outstanding(), "the carrier's webhooks")
    told = [entry["outcome"] for entry in await hub.received(CARRIER) if entry["key"] == key and entry["type"] == "guichet.decision.made"]
    assert told == ["release", "hold", "release"]


async def test_a_risk_service_that_hangs_is_waited_for_until_its_deadline(hub: ConnectedHub):
    await hub.behave({"risk": Behaviour(hang_rate=1.0)})
    parcel = a_house("IT")
    try:
        async with hub.watch() as watch:
            await hub.submit(CARRIER, manifest(parcel), "text/csv")
            await watch.until(lambda: watch.decisions(house_key(parcel)), "the decision after the deadline", seconds=60)
        decision = watch.decisions(house_key(parcel))[0]
        assert decision.outcome is Outcome.DOCUMENT_CHECK
        assert [reason.code for reason in decision.reasons if reason.outcome is decision.outcome] == ["NO-ANSWER-RISK"]
    finally:
        await hub.behave()


async def test_wrong_and_double_answers_do_no_harm(hub: ConnectedHub):
    noisy = QUIET.model_copy(update={"double_rate": 1.0})
    await hub.behave({"risk": noisy, "single-window": noisy.model_copy(update={"late_rate": 0.5, "late_ms": 300.0})})
    parcels = [a_postal_item("ES") for _ in range(20)]
    try:
        async with hub.watch() as watch:
            await hub.stream(POST, itmatt(*parcels, country="ES"), key="USP-ESP")
            await watch.until(lambda: all(watch.decisions(postal_key(parcel)) for parcel in parcels), "all decisions")
            await watch.until(lambda: not watch.checker.outstanding(), "all notices")
        assert {len({event.event_id for event in watch.decisions(postal_key(parcel))}) for parcel in parcels} == {1}
        assert not watch.checker.accounts().duplicated
    finally:
        await hub.behave()


async def test_a_webhook_receiver_that_was_down_hears_everything_once_in_the_end(hub: ConnectedHub):
    await hub.behave(hooks={CARRIER: HookBehaviour(state="down")})
    parcels = [a_house("PL") for _ in range(10)]
    try:
        async with hub.watch() as watch:
            await hub.submit(CARRIER, manifest(*parcels), "text/csv")
            await watch.until(lambda: all(watch.decisions(house_key(parcel)) for parcel in parcels), "all decisions")
            await hub.behave()
            await watch.until(lambda: not watch.checker.outstanding(), "all webhooks", seconds=90)
        assert not watch.checker.accounts().duplicated
        assert not watch.checker.accounts().out_of_order
    finally:
        await hub.behave()


async def test_nobody_sees_another_ones_consignment(hub: ConnectedHub):
    postal, house = a_postal_item("NL"), a_house("NL")
    async with hub.watch() as watch:
        await hub.stream(POST, itmatt(postal), key="USP-NLP")
        await hub.submit(CARRIER, manifest(house), "text/csv")
        await watch.until(lambda: watch.decisions(postal_key(postal)) and watch.decisions(house_key(house)), "both decisions")
        await watch.until(
            lambda: watch.told("release.nl.v1", house_key(house)) and watch.told(f"outbound.{POST}", postal_key(postal)), "both notices"
        )
    assert watch.told(f"outbound.{POST}", house_key(house)) == []
    assert postal_key(postal) not in {entry["key"] for entry in await hub.received(CARRIER)}
