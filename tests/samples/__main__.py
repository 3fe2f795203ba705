"""Write what the hub makes of the samples named, beside them."""

import sys
from pathlib import Path

import orjson

from tests.samples import outcome

for name in sys.argv[1:]:
    path = Path(name)
    found = outcome(path.read_bytes())
    path.with_suffix(".expected.json").write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
