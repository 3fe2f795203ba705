"""Samples spoiled in the ways that lines, systems and people spoil messages. The same seed always gives the same inputs."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from tests.fuzz.judging import seeds

Mutation = Callable[[bytes, Random], bytes]

ODD: Final = (
    b"", b"0", b"-1", b"1e999", b"9" * 40, b"0.0000000001", b"NaN", b"Infinity", b"null", b"true", b"{}", b"[]", b"''", b"??", b"+:+",
    b"=1+1", b"&#0;", b"&amp;", b"]]>", b"<![CDATA[x]]>", b"\\ud800", b"\\u0000", b"\xc3", b"\xed\xa0\x80", b"\xef\xbf\xbe",
    "é".encode() * 200, "\u202e\u00ad\u200b".encode(), b"2026-02-30T25:61:00Z", b"0000-01-01", b"9999-12-31T23:59:59-14:00",
    b"20260301", b"RR473124829GB", b"888-45123072", b"XX", b"US", b"kg", b"\t", b"\r\n", b" " * 50,
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_PIECES: Final = ((b"<", re.compile(rb"(?=<)")), (b"{", re.compile(rb"(?<=[,\n])")), (b"[", re.compile(rb"(?<=[,\n])")))
_LINES = re.compile(rb"(?<=['\n,;])")


def flipped(body: bytes, random: Random) -> bytes:
    """Change up to eight bits."""
    changed = bytearray(body)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(body: bytes, random: Random) -> bytes:
    """Lose the end, or something in the middle."""
    start = random.randrange(len(body))
    return body[:start] + (body[start + random.randint(1, 60) :] if random.random() < 0.6 else b"")


def doubled(body: bytes, random: Random) -> bytes:
    """Repeat a run of segments up to twenty times."""
    pieces = _pieces(body)
    first = random.randrange(len(pieces))
    last = min(len(pieces), first + random.randint(1, 12))
    return b"".join(pieces[:last] + pieces[first:last] * random.choice((1, 1, 1, 2, 20)) + pieces[last:])


def swapped(body: bytes, random: Random) -> bytes:
    """Exchange two segments."""
    pieces = _pieces(body)
    one, other = random.randrange(len(pieces)), random.randrange(len(pieces))
    pieces[one], pieces[other] = pieces[other], pieces[one]
    return b"".join(pieces)


def dropped(body: bytes, random: Random) -> bytes:
    """Leave segments out."""
    pieces = _pieces(body)
    for _ in range(random.randint(1, 4)):
        if len(pieces) > 1:
            del pieces[random.randrange(len(pieces))]
    return b"".join(pieces)


def nested(body: bytes, random: Random) -> bytes:
    """Put deep nesting somewhere between two segments."""
    depth = random.choice((5, 33, 100, 300, 2000))
    opened, closed = random.choice(((b"<a>", b"</a>"), (b"[", b"]"), (b'{"a":', b"}"), (b"+", b":"), (b'"', b'"')))
    return _between(body, opened * depth + random.choice((b"", b"1")) + closed * random.choice((depth, depth, 0)), random)


def giant(body: bytes, random: Random) -> bytes:
    """Put a very long value in the place of one."""
    return _valued(body, random.choice((b"A", b"9", b"?", b"' ", "ß".encode(), b"+", b":")) * random.choice((300, 5000, 70_000)), random)


def odd(body: bytes, random: Random) -> bytes:
    """Put values that mean something elsewhere in the place of values."""
    for _ in range(random.randint(1, 5)):
        body = _valued(body, random.choice(ODD), random)
    return body


def miscounted(body: bytes, random: Random) -> bytes:
    """Change numbers: counts, totals, versions, dates."""
    found = list(_NUMBER.finditer(body))
    for match in sorted(random.sample(found, min(len(found), random.randint(1, 3))), key=lambda match: -match.start()):
        number = random.choice((b"0", b"-5", b"99999999", str(int(match[0][:18]) + 1).encode(), b"1.5", b"", b"9" * 30))
        body = body[: match.start()] + number + body[match.end() :]
    return body


def inserted(body: bytes, random: Random) -> bytes:
    """Put bytes in that do not belong there."""
    return _between(body, random.choice((random.randbytes(random.randint(1, 20)), random.choice(ODD), b"<", b'"', b"'", b"\x00")), random)


def recoded(body: bytes, random: Random) -> bytes:
    """Say the same in another character set, with or without its byte order mark."""
    return body.decode("latin-1").encode(random.choice(("utf-8-sig", "utf-16", "utf-16-be", "cp037", "utf-7")))


MUTATIONS: Final[tuple[Mutation, ...]] = (flipped, cut, doubled, swapped, dropped, nested, giant, odd, odd, miscounted, inserted, recoded)


def _pieces(body: bytes) -> list[bytes]:
    start = body.lstrip()[:1]
    return next((pattern for first, pattern in _PIECES if start == first), _LINES).split(body)


def _between(body: bytes, said: bytes, random: Random) -> bytes:
    pieces = _pieces(body)
    pieces.insert(random.randrange(len(pieces) + 1), said)
    return b"".join(pieces)


_VALUE: Final = {
    b"<": re.compile(rb"(?<=[>\"'])[^<>\"']+(?=[<\"'])"),
    b"{": re.compile(rb'(?<=[:\[,"])[^:,"{}\[\]]+'),
    b"[": re.compile(rb'[^:,"{}\[\]]+'),
}
_FIELD = re.compile(rb"[^+:'\n,;\t/|]+")


def _valued(body: bytes, said: bytes, random: Random) -> bytes:
    found = list(_VALUE.get(body.lstrip()[:1], _FIELD).finditer(body))
    if not found:
        return body + said
    match = random.choice(found)
    return body[: match.start()] + said + body[match.end() :]


def spoiled(body: bytes, random: Random) -> bytes:
    """Return *body* spoiled in one to three ways; a workbook is spoiled outside or inside its archive."""
    if body.startswith(b"PK") and random.random() < 0.8:
        return _inside(body, random)
    for _ in range(random.choice((1, 1, 2, 3))):
        body = random.choice(MUTATIONS)(body, random) or b" "
    return body


def _inside(archive: bytes, random: Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as read:
            members = {name: read.read(name) for name in read.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
        return flipped(archive, random)
    if not members:
        return flipped(archive, random)
    name = random.choice(sorted(members))
    members[name] = spoiled(members[name] or b" ", random)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as write:
        for member, content in members.items():
            write.writestr(zipfile.ZipInfo(member), content)
    return written.getvalue()


def inputs(format: str, count: int, seed: int) -> Iterator[bytes]:
    """Yield *count* inputs made of the samples of *format*."""
    bodies = [body for _, body in seeds(format)]
    for number in range(count):
        random = Random(f"{seed}:{format}:{number}")
        yield spoiled(random.choice(bodies), random)
