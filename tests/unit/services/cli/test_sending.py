"""``guichet send``: what it calls the bytes it sends."""

from pathlib import Path

import pytest

from services.cli.sending import guess
from shared.formats import MEDIA_TYPES, READERS
from tests.samples import expected, samples

SAMPLES = [(name, path) for name in READERS for path in samples(name) if "refused" not in expected(path)]


@pytest.mark.parametrize(("name", "path"), SAMPLES, ids=[f"{name}/{path.name}" for name, path in SAMPLES])
def test_every_message_is_called_by_a_media_type_of_its_format_that_the_door_takes(name: str, path: Path) -> None:
    said = guess(path.read_bytes())
    assert said in READERS[name].CONTENT_TYPES or name == "neutral-lines"
    assert said in MEDIA_TYPES
