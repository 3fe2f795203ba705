"""What spoiled messages found once: numbers too long to be numbers, names that nobody uses, and names without end."""

import io
import zipfile

import pytest

from shared.errors import MalformedMessage
from shared.formats import READERS, itmatt, xlsx, xml
from shared.formats.postal_answers import dataset_path
from shared.model import DEFAULT_DIALECT, Filing, Rejection
from tests.samples import FOLDER, raw

DIGITS = b"9" * 5000


def read(format: str, body: bytes) -> list[object]:
    return list(READERS[format].parse(raw(body), DEFAULT_DIALECT))


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("order/single.json", b'"item_amount"'),
        ("neutral/single.json", b'"goods_description"'),
        ("payment/reference.json", b'"amount"'),
    ],
)
def test_a_field_called_by_thousands_of_digits_is_an_unknown_field(sample: str, said: bytes) -> None:
    body = (FOLDER / sample).read_bytes()
    assert said in body
    (found,) = read(sample.partition("/")[0], body.replace(said, b'"' + DIGITS + b'"', 1))[:1]
    assert isinstance(found, Rejection)


@pytest.mark.parametrize(
    ("sample", "opening"),
    [
        ("xfzb/reference.xml", b"<ram:TotalPieceQuantity>"),
        ("ie3f32/reference.xml", b"<numberOfPackages>"),
        ("ie3f27/single.xml", b"<numberOfPackages>"),
        ("awmds/single.xml", b"<Number_of_packages>"),
    ],
)
def test_a_count_of_thousands_of_digits_is_no_count(sample: str, opening: bytes) -> None:
    body = (FOLDER / sample).read_bytes()
    assert opening in body
    found = read(sample.partition("/")[0], body.replace(opening, opening + DIGITS))
    assert any(isinstance(each, Rejection) for each in found)


def test_a_line_number_of_thousands_of_digits_names_no_line() -> None:
    assert dataset_path("ContentPiece/Description", "9" * 5000) == "/goods_items"
    assert dataset_path("ContentPiece/Description", "0") == "/goods_items"


def test_a_namespace_without_end_is_refused() -> None:
    body = (FOLDER / "itmatt" / "reference.xml").read_bytes()
    with pytest.raises(MalformedMessage, match="namespace") as caught:
        read("itmatt", body.replace(b"urn:hub:postal:itmatt:1", b"urn:hub:" + b"x" * xml.NAMESPACE_LIMIT, 1))
    assert (caught.value.finding_code, caught.value.line) == ("MSG-NAMESPACE", 2)


def test_senders_who_invent_namespaces_do_not_fill_the_memory() -> None:
    body = (FOLDER / "itmatt" / "other_namespace.xml").read_bytes()
    for number in range(3 * xml.SPELLINGS):
        assert read("itmatt", body.replace(b'xmlns="urn:', b'xmlns="urn:%d:' % number, 1))
    assert itmatt._shape.cache_info().currsize <= xml.SPELLINGS


def test_what_comes_again_and_again_around_the_items_is_told_once() -> None:
    before, opening, rest = (FOLDER / "ie3f42" / "single.xml").read_text().partition("<consignmentMasterLevel>")
    master, closing, after = rest.rpartition("</consignmentMasterLevel>")
    found = read("ie3f42", "".join([before, (opening + master + closing) * 40, after]).encode())
    assert len(found) == 40
    assert all(isinstance(each, Filing | Rejection) and each.findings is not None and len(each.findings) < 10 for each in found)


def test_a_declaration_whose_prefix_nobody_declared_is_refused() -> None:
    """A namespace that is no address, further on, makes the XML parser forget what it had against the prefix."""
    with pytest.raises(MalformedMessage, match="m:MetaData"):
        read("wco-declaration", b'<m:MetaData><Declaration xmlns="&amp;"/></m:MetaData>')


@pytest.mark.parametrize("number", ["0", "-1", "1", "1048577"])
def test_a_row_of_a_workbook_that_is_out_of_place_is_refused(number: str) -> None:
    body = xlsx.write(["hawb", "pieces", "gross_weight"], [["A1", "1", "1"]])
    found = {name: content.replace(b'<row r="2"', f'<row r="{number}"'.encode()) for name, content in _parts(body).items()}
    assert found != _parts(body)
    with pytest.raises(MalformedMessage, match="out of place") as caught:
        read("manifest-xlsx", _archive(found))
    assert caught.value.finding_code == "XLS-SIZE"


def _parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _archive(parts: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize("body", [b"", b" \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n", b"\xff\xfe", b"\xff\xfe \x00"])
@pytest.mark.parametrize("name", READERS)
def test_nothing_with_or_without_a_byte_order_mark_is_refused_as_nothing_to_read(name: str, body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read(name, body)
