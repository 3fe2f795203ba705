"""What differs between two senders of one format: data in the directory, never an ``if`` on a sender's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.model.base import Model


class Dialect(Model):
    """A participant's habits. Everything has a default that suits a sender who follows the guide.

    ``encoding`` is used when the bytes do not tell their own; ``time_zone`` (IANA) is assumed for local times without offset; ``carrier``
    and ``platform``
    are the codes put into keys (default: the participant's own id); ``code_maps`` translate a sender's own codes (``{"nature": {"SG":
    "11"}}``), ``columns`` a
    spreadsheet's column names (``{"HAWB No": "hawb"}``); ``severities`` overrides the weight of a finding by its code.
    """

    encoding: str = "utf-8"
    time_zone: str = "UTC"
    decimal_comma: bool = False
    carrier: Annotated[str, StringConstraints(max_length=17)] | None = None
    platform: Annotated[str, StringConstraints(max_length=35)] | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)
    code_maps: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    severities: Mapping[str, str] = Field(default_factory=dict)


DEFAULT_DIALECT = Dialect()
