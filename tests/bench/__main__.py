"""``python -m tests.bench``: see :mod:`tests.bench.run`."""

import asyncio
import sys

from tests.bench.run import main

sys.exit(asyncio.run(main()))
