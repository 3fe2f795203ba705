"""The traffic is seeded, plausible, and says what must come of it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from lxml import etree

from services.sandbox.bench import bench_file, bench_items
from services.sandbox.goods import ARMS, ARTICLES, DEAR, VAGUE
from services.sandbox.people import PLACES
from services.sandbox.traffic import CARRIER, PLATFORM, POST, traffic
from services.sandbox.writers import air_waybill, s10
from shared.codes import hs2022
from shared.errors import MalformedMessage
from shared.formats import itmatt, manifest_csv, manifest_json, order
from shared.identifiers import s10 as s10_rules
from shared.model import Dialect, Filing, RawMessage, Rejection

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
BROKEN = {"truncated XML", "truncated JSON", "an unknown format", "a wrong control total"}
ITEM = "{urn:hub:postal:itmatt:1}Item"


def test_the_same_seed_gives_the_same_plan():
    assert traffic(300, 7, NOW) == traffic(300, 7, NOW)
    assert traffic(300, 7, NOW) != traffic(300, 8, NOW)


def test_a_plan_holds_about_what_was_asked_for_from_all_three():
    plan = traffic(2000, 7, NOW)
    assert 1950 <= plan.items <= 2500
    assert {send.sender for send in plan.sends} == {POST, CARRIER, PLATFORM}


def test_every_kind_of_trouble_is_in_a_plan_of_two_thousand():
    kinds = {(send.sender, send.kind) for send in traffic(2000, 7, NOW).sends}
    assert kinds >= {
        (POST, "the same message again"),
        (POST, "the same content, a new message"),
        (POST, "a correction"),
        (POST, "a cancellation"),
        (POST, "a bad item among good ones"),
        (POST, "truncated XML"),
        (POST, "an unknown format"),
        (POST, "a wrong control total"),
        (POST, "the same name, other content"),
        (CARRIER, "the same message again"),
        (CARRIER, "a correction"),
        (CARRIER, "a bad item among good ones"),
        (PLATFORM, "truncated JSON"),
    }


def test_some_orders_come_before_their_consignment_and_some_after():
    first: dict[str, int] = {}
    for number, send in enumerate(traffic(2000, 7, NOW).sends):
        if send.sender == CARRIER:
            for order in re.findall(rb"bazaar[\",:a-z_]+?([0-9a-f]+-\d+)", send.body):
                first.setdefault(f"order:bazaar:{order.decode()}", number)
    orders = [(key, number) for number, send in enumerate(traffic(2000, 7, NOW).sends) if send.sender == PLATFORM for key in send.accepted]
    assert orders
    assert all(key in first for key, _ in orders)
    before = sum(number < first[key] for key, number in orders)
    assert 0.2 < before / len(orders) < 0.8


def test_no_consignment_is_promised_and_refused_at_once():
    for send in traffic(2000, 7, NOW).sends:
        assert len(send.accepted) + send.rejected == len(set(send.accepted)) + send.rejected
        assert send.items == len(send.accepted) + send.rejected or not send.accepted


def test_the_hubs_own_readers_take_what_should_be_accepted_and_refuse_the_rest():
    for send in traffic(600, 7, NOW).sends:
        module = {"text/csv": manifest_csv, "application/xml": itmatt}.get(send.content_type)
        module = module or (order if send.sender == PLATFORM else manifest_json)
        if send.kind in BROKEN:
            continue
        read = list(module.parse(RawMessage(send.sender, send.body, NOW), Dialect()))
        keys = {filing.key for filing in read if isinstance(filing, Filing)}
        assert keys == set(send.accepted) or send.kind == "the same name, other content", [r for r in read if isinstance(r, Rejection)]
        assert len(read) - len(keys) == send.rejected or send.kind == "the same name, other content"


def test_what_is_broken_as_a_whole_is_refused_as_a_whole():
    for send in traffic(600, 7, NOW).sends:
        if send.kind in BROKEN and send.content_type != "text/plain":
            with pytest.raises(MalformedMessage):
                (order if send.sender == PLATFORM else itmatt).parse(RawMessage(send.sender, send.body, NOW), Dialect())


def test_a_rate_spaces_the_messages():
    plan = traffic(300, 7, NOW, rate=100)
    assert sum(send.wait_seconds for send in plan.sends) == pytest.approx(plan.items / 100)


def test_identifiers_carry_right_check_digits():
    assert s10("RR", 47312482, "GB") == "RR473124829GB"
    assert air_waybill("888", 4512307) == "888-45123072"
    for serial in range(0, 100_000_000, 1_234_567):
        assert s10_rules.validate(s10("LA", serial, "US"))


def test_goods_have_codes_that_exist():
    assert all(hs2022.is_subheading(article.hs_code) for article in (*ARTICLES, ARMS, VAGUE, DEAR))


def test_every_country_has_names_and_addresses():
    assert all(place.given and place.family and place.streets and place.cities for place in PLACES.values())


def test_bench_items_are_well_formed_distinct_and_of_the_size_of_real_ones():
    items = list(islice(bench_items(2000, 7), 2000))
    assert len({item.number for item in items}) == 2000
    assert 2800 < sum(len(item.body) for item in items) / len(items) < 3000
    for item in items[:300]:
        root = etree.fromstring(item.body)
        assert root.findtext(f"{ITEM}/{{*}}MailObject/{{*}}Id") == item.number
        assert len(root.findall(f"{ITEM}/{{*}}Declaration/{{*}}Data/{{*}}ContentPieces/{{*}}ContentPiece")) == 3


def test_bench_items_go_on_where_they_ended():
    assert list(bench_items(10, 7))[5:] == list(bench_items(5, 7, first=5))


def test_a_bench_file_holds_its_items_and_fits_the_door():
    whole = bench_file(1700, 7)
    root = etree.fromstring(whole)
    assert root.findtext("{*}Header/{*}ItemCount") == "1700"
    assert max(Counter(item.findtext("{*}MailObject/{*}Id") for item in root.iter(ITEM)).values()) == 1
    assert len(list(root.iter(ITEM))) == 1700
    assert len(whole) < 5 * 1024 * 1024


def test_items_are_posted_before_they_are_told():
    stamps = re.findall(rb"<PostingDt>([^<]+)<", b"".join(send.body for send in traffic(300, 7, NOW).sends))
    assert stamps
    assert all(NOW - timedelta(days=2) < datetime.fromisoformat(stamp.decode()) <= NOW for stamp in stamps)
