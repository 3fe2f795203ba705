"""Who hears of an event."""

from __future__ import annotations

import pytest

from services.notify.match import index_of, match
from shared.contracts import TYPE_OF, DecisionMade, EventBody
from shared.directory import Channel, Directory, Participant, Role, Subscription
from shared.errors import Misconfigured
from tests.unit.services.notify.builders import (
    AGENCY,
    CARRIER,
    CUSTOMS,
    EVERYBODY,
    PAYMENTS,
    PLATFORM,
    POST,
    a_decision,
    a_directory,
    a_reading,
    a_rejection,
    a_subscription,
    a_summary,
    an_acceptance,
    an_acknowledgement,
)

DECISION = TYPE_OF[DecisionMade]


def heard_by(event: EventBody, *subscriptions: Subscription, directory: Directory | None = None) -> list[str]:
    """Return the participants that are told of *event*, one entry per subscription."""
    index = index_of(directory or a_directory(*subscriptions), lambda text: lambda notice: notice.key == text)
    return [told.notice.participant for told in match(index, TYPE_OF[event.__class__], event)]


ALL = tuple(a_subscription(each) for each in EVERYBODY)


@pytest.mark.parametrize(
    ("event", "hearers"),
    [
        (a_decision(parties=("post-cn",)), ["post-cn", "customs-fr"]),
        (a_decision(parties=("post-cn", "bazaar")), ["post-cn", "bazaar", "customs-fr"]),
        (a_decision(parties=("post-cn", "paywell")), ["post-cn", "customs-fr"]),
        (a_decision(parties=("post-cn",), asked=("plant-health",)), ["post-cn", "customs-fr", "plant-health"]),
        (a_decision(parties=("post-cn",), consignment=a_summary(country_of_destination="DE")), ["post-cn"]),
        (a_decision(parties=(), consignment=a_summary(country_of_destination=None)), []),
        (a_decision(parties=("customs-fr", "plant-health"), consignment=a_summary(country_of_destination="DE")), []),
        (an_acceptance(parties=("swift-air",)), ["swift-air", "customs-fr"]),
        (an_acceptance(parties=("paywell",), consignment=None), ["paywell"]),
        (a_rejection("swift-air", parties=("swift-air", "bazaar", "post-cn")), ["swift-air"]),
        (a_reading("bazaar"), ["bazaar"]),
        *((an_acknowledgement(each.id), [each.id]) for each in EVERYBODY),
    ],
)
def test_an_event_is_heard_by_those_who_may_see_it_and_nobody_else(event: EventBody, hearers: list[str]) -> None:
    assert heard_by(event, *ALL) == hearers


def test_an_acknowledgement_is_not_told_on_a_countrys_topics() -> None:
    assert heard_by(an_acknowledgement(CUSTOMS.id), a_subscription(CUSTOMS, Channel.KAFKA)) == []


def test_customs_of_another_country_hear_nothing() -> None:
    customs_de = Participant(id="customs-de", name="Zoll", role=Role.CUSTOMS, country="DE")
    directory = a_directory(a_subscription(customs_de), participants=(customs_de,))
    assert heard_by(a_decision(), directory=directory) == []


def test_only_the_event_types_asked_for_are_told() -> None:
    subscription = a_subscription(POST, event_types=(DECISION,))
    assert heard_by(a_decision(), subscription) == ["post-cn"]
    assert heard_by(an_acceptance(), subscription) == []


def test_a_type_nobody_asked_for_is_not_in_the_index() -> None:
    index = index_of(a_directory(a_subscription(POST, event_types=(DECISION,))), lambda text: lambda notice: True)
    assert set(index.by_type) == {DECISION}


def test_a_subscription_for_one_destination_hears_of_that_one_only() -> None:
    to_france = a_subscription(POST, destination_country="FR")
    assert heard_by(a_decision(), to_france) == ["post-cn"]
    assert heard_by(a_decision(consignment=a_summary(country_of_destination="DE")), to_france) == []
    assert heard_by(a_rejection(), to_france) == []


def test_a_filter_lets_through_what_it_accepts() -> None:
    assert heard_by(a_decision(key="post:A"), a_subscription(POST, filter="post:A"), a_subscription(POST, filter="post:B")) == ["post-cn"]


def test_a_filter_sees_only_what_its_owner_may_see() -> None:
    asked = index_of(a_directory(a_subscription(POST, filter="x")), lambda text: lambda notice: notice.category or notice.policy)
    assert match(asked, DECISION, a_decision()) == []


def test_every_subscription_of_a_participant_is_told() -> None:
    assert heard_by(a_decision(), a_subscription(POST), a_subscription(POST, Channel.WEBHOOK)) == ["post-cn", "post-cn"]


def test_a_participant_named_twice_is_told_once() -> None:
    assert heard_by(a_decision(parties=("post-cn", "post-cn")), a_subscription(POST)) == ["post-cn"]


@pytest.mark.parametrize(("state", "hearers"), [("active", ["post-cn"]), ("parked", ["post-cn"]), ("disabled", [])])
def test_a_parked_feed_goes_on_filling_and_a_disabled_one_does_not(state: str, hearers: list[str]) -> None:
    assert heard_by(a_decision(), a_subscription(POST, Channel.WEBHOOK, state=state)) == hearers


def test_a_closed_participant_hears_nothing() -> None:
    closed = POST.model_copy(update={"active": False})
    assert heard_by(a_decision(), directory=a_directory(a_subscription(POST), participants=(closed,))) == []


@pytest.mark.parametrize("owner", [POST, CARRIER, PLATFORM, PAYMENTS, AGENCY])
def test_nobody_but_customs_can_be_told_on_a_countrys_topics(owner: Participant) -> None:
    subscription = a_subscription(owner, Channel.KAFKA)
    index = index_of(a_directory(subscription, a_subscription(CUSTOMS, Channel.KAFKA)), lambda text: lambda notice: True)
    assert [each.subscription for each in index.unusable] == [subscription.id]
    assert len(match(index, DECISION, a_decision(parties=(owner.id,), asked=(owner.id,)))) == 1


def test_a_filter_that_does_not_compile_silences_its_own_subscription_only() -> None:
    def broken(text: str):
        raise Misconfigured("unknown name")

    broken_one, whole = a_subscription(POST, filter="nonsense"), a_subscription(POST)
    index = index_of(a_directory(broken_one, whole), broken)
    assert [(each.subscription, each.why) for each in index.unusable] == [(broken_one.id, "unknown name")]
    assert [told.interest.subscription.id for told in match(index, DECISION, a_decision())] == [whole.id]
