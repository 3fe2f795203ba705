"""What must be there before the first process starts."""

from __future__ import annotations

from deploy.prepare import wanted_topics
from shared.contracts import Topics


def test_topics_carry_the_prefix_of_their_hub():
    topics = Topics("elsewhere.")
    names = {spec.name for spec in wanted_topics(topics)}
    assert set(topics.core()) <= names
    assert all(name.startswith("elsewhere.") for name in names)


def test_every_service_that_a_policy_asks_has_its_topic_of_requests():
    topics = Topics()
    assert {topics.requests("risk"), topics.requests("single-window")} <= {spec.name for spec in wanted_topics(topics)}
