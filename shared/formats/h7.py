"""H7, the low-value declaration: from a consignment to its data elements, for all the layouts it is written in.

Elements are those of EUCDM Annex B column H7. What a consignment does not say (office, additional declaration type, declarant, location
of goods, procedure codes) comes from ``extra`` as a reader keeps it, else from the dialect's code map ``h7``. Procedure codes are data
there too, since the low-value rules change: ``procedure:ioss`` = ``C07 F48``, ``procedure:gift`` = ``C08``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from shared.formats.filings import Item
from shared.formats.postal_files import Sheet
from shared.identifiers import lrn
from shared.model import Consignment, GoodsItem, Money

MAP: Final = "h7"
SOURCE: Final = "EUCDM Annex B, column H7, as used by public national manuals"
PROCEDURES: Final[Mapping[str, str]] = MappingProxyType(
    {"ioss": "C07 F48", "special_arrangement": "C07 F49", "standard": "C07", "gift": "C08", "other": "C07"}
)
"""Additional procedure codes (11 10) by tax scheme; ``gift`` is from a person to a person."""
HEAD: Final = ("additional_declaration_type", "office", "location", "previous_document", "representative/eori", "declarant/eori")
"""What a declaration says beyond the consignment, by the names under which it is kept."""
DEFAULTS: Final[Mapping[str, str]] = MappingProxyType({"additional_declaration_type": "A"})


class Declaration:
    """One declaration while it is written: the consignment, what is kept or set for it, what was found."""

    __slots__ = ("consignment", "extra", "lrn", "settings", "sheet")

    def __init__(self, consignment: Consignment, reference: str, sheet: Sheet) -> None:
        self.consignment = consignment
        self.extra = dict(consignment.extra or {})
        self.settings: Mapping[str, str] = sheet.dialect.code_maps.get(MAP, {})
        self.sheet = sheet
        self.lrn = reference
        wrong = lrn.problem(reference)
        if wrong is not None:
            sheet.note("WRITE-MISSING", "/message_id", reference, wrong.message)

    def said(self, name: str) -> str | None:
        """Return what is kept under *name*, else what the dialect says, else the usual."""
        return self.extra.pop(name, None) or self.settings.get(name) or DEFAULTS.get(name)

    def needed(self, value: object, path: str) -> None:
        """Tell a mandatory element that is missing."""
        if value is None or value == "":
            self.sheet.note("WRITE-MISSING", path)

    def check(self, longest: int = 8) -> None:
        """Tell the elements that every layout needs and the consignment does not have; *longest* is the layout's HS code."""
        consignment = self.consignment
        for side in ("consignor", "consignee"):
            party = getattr(consignment, side)
            self.needed(party and party.name, f"/{side}/name")
            self.needed(party and party.country, f"/{side}/country")
        if not consignment.goods_items:
            self.needed(None, "/goods_items")
        for index, line in enumerate(consignment.goods_items):
            path = f"/goods_items/{index}"
            for field in ("goods_description", "gross_mass_kg", "package_count", "item_amount"):
                value = getattr(line, field)
                if field == "gross_mass_kg":
                    value = self.gross(line)
                elif field == "package_count":
                    value = self.packages(line)
                self.needed(value, f"{path}/{field}")
            if line.hs_code is None or len(line.hs_code) < 6:
                self.sheet.note("WRITE-MISSING", f"{path}/hs_code", line.hs_code, "The declaration needs six digits of the HS code.")
            elif len(line.hs_code) not in (6, longest):
                self.sheet.note("WRITE-CUT", f"{path}/hs_code", line.hs_code, f"The declaration takes {longest} digits of the HS code.")

    def _alone(self) -> bool:
        return len(self.consignment.goods_items) == 1

    def gross(self, line: GoodsItem) -> Decimal | None:
        """Return the gross mass of a line; that of the consignment where it is the only one."""
        return line.gross_mass_kg if line.gross_mass_kg is not None or not self._alone() else self.consignment.gross_mass_kg

    def packages(self, line: GoodsItem) -> int | None:
        """Return the packages of a line; those of the consignment where it is the only one."""
        return line.package_count if line.package_count is not None or not self._alone() else self.consignment.package_count

    def procedures(self, index: int) -> list[str]:
        """Return the additional procedures of a line: as kept, else by scheme."""
        kept = self.extra.pop(f"items[{index + 1}]/procedures", None)
        return (kept or procedures(self.consignment.tax_scheme, self.consignment.nature_of_transaction, self.settings)).split()

    def ioss(self) -> str | None:
        """Return the IOSS number."""
        return next((tax.number for tax in self.consignment.tax_ids or () if tax.scheme == "ioss"), None)

    def intrinsic(self) -> Money | None:
        """Return the sum of the lines' values where they have one currency."""
        amounts = [line.item_amount for line in self.consignment.goods_items]
        if not amounts or any(amount is None for amount in amounts) or len({amount.currency for amount in amounts if amount}) > 1:
            return None
        given = [amount for amount in amounts if amount is not None]
        return Money(amount=sum((amount.amount for amount in given), start=0 * given[0].amount), currency=given[0].currency)

    def rest(self, known: tuple[str, ...] = ()) -> None:
        """Tell of kept values that the layout has no place for."""
        for name, value in self.extra.items():
            if name not in known:
                self.sheet.note("WRITE-LOST", f"/extra/{name}", value)


def procedures(scheme: str | None, nature: str | None, settings: Mapping[str, str]) -> str:
    """Return the additional procedures that follow from the tax scheme."""
    name = scheme if scheme is not None and scheme in PROCEDURES else "gift" if nature == "gift" else "other"
    return settings.get(f"procedure:{name}", PROCEDURES[name])


def usual(item: Item) -> Mapping[str, str]:
    """Return the settings of the sender's dialect."""
    return item.dialect.code_maps.get(MAP, {})
