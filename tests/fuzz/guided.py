"""One parser under atheris, in a process of its own: ``python -m tests.fuzz.guided FORMAT [libFuzzer options] CORPUS…``.

The parsers and the model are instrumented as they are imported, so an input that reaches new code joins the first corpus folder. Every
other input is spoiled as senders spoil messages, since changed bits alone seldom leave well-formed XML. Instrumented code is slow, so time
is judged afterwards, without it: see :mod:`tests.fuzz.run`.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["shared"]):
    from tests.fuzz.judging import judge
    from tests.fuzz.mutations import spoiled


def mutated(body: bytes, largest: int, seed: int) -> bytes:
    """Return another input made of *body*."""
    random = Random(seed)
    if body and random.random() < 0.5:
        return spoiled(body, random)[:largest]
    return bytes(atheris.Mutate(body, largest))


def main() -> None:
    """Fuzz until the time is up (``-max_total_time``) or something is wrong; libFuzzer ends the process."""
    name = sys.argv.pop(1)
    sys.argv[0] = f"{sys.executable} -m {__spec__.name} {name}"  # what libFuzzer calls for each part of a merge

    def one(body: bytes) -> None:
        judge(name, body, timed=False)

    atheris.Setup(sys.argv, one, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
