"""Every message format the hub reads or writes, one module each, in one list.

To add one: the module, its place in ``FORMATS``, a folder in ``tests/samples``, a row in the README. What a module must have stands in
:mod:`shared.formats.base`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.formats import (
    aperak,
    asycuda_sad,
    awbolds,
    awmds,
    cds_view,
    contrl,
    cuscar,
    cusdec,
    cusitm,
    cusitm_edifact,
    cusres,
    cusrsp,
    cusrsp_edifact,
    device_event,
    emsevt,
    emsevt_edifact,
    epcis,
    fer,
    ffm,
    fhl,
    fma,
    fna,
    fsn,
    fsu,
    fwb,
    h7_json,
    h7_xml,
    ics2_answers,
    ie3f27,
    ie3f32,
    ie3f42,
    ie3f43,
    ie3q04,
    ie3r02,
    ie3r03,
    itmatt,
    itmatt_edifact,
    itmref,
    itmref_edifact,
    manifest_csv,
    manifest_json,
    manifest_xlsx,
    national_item,
    neutral,
    neutral_lines,
    order,
    payment,
    per,
    predes,
    predes_edifact,
    psn,
    refrsp,
    refrsp_edifact,
    resdes,
    returns,
    stock,
    uk_dms_h7,
    uk_notification,
    wco_declaration,
    xcsn,
    xffm,
    xfhl,
    xfnm,
    xfsu,
    xfwb,
    xfzb,
)
from shared.formats.base import ANYTHING, Format, Parsed, Reader, Sketch, Tabular, Writer

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        module.NAME: module
        for module in (
            itmatt,
            manifest_csv,
            manifest_json,
            order,
            neutral,
            neutral_lines,
            payment,
            returns,
            stock,
            device_event,
            epcis,
            cusrsp,
            cuscar,
            cusdec,
            cusres,
            contrl,
            aperak,
            cusitm,
            emsevt,
            itmref,
            predes,
            refrsp,
            resdes,
            cds_view,
            national_item,
            cusitm_edifact,
            cusrsp_edifact,
            emsevt_edifact,
            itmatt_edifact,
            itmref_edifact,
            predes_edifact,
            refrsp_edifact,
            xfzb,
            xfhl,
            xfwb,
            xffm,
            xfsu,
            xcsn,
            xfnm,
            fhl,
            fwb,
            ffm,
            fsu,
            ie3f32,
            manifest_xlsx,
            ie3f27,
            ie3f43,
            ics2_answers,
            wco_declaration,
            awmds,
            awbolds,
            asycuda_sad,
            h7_json,
            h7_xml,
            uk_dms_h7,
            uk_notification,
            ie3f42,
            ie3r02,
            ie3r03,
            ie3q04,
            psn,
            per,
            fsn,
            fer,
            fma,
            fna,
        )
    }
)

READERS: Final[Mapping[str, Reader]] = MappingProxyType({name: module for name, module in FORMATS.items() if isinstance(module, Reader)})
"""The formats that can be read."""

TABLES: Final[Mapping[str, Tabular]] = MappingProxyType({name: module for name, module in READERS.items() if isinstance(module, Tabular)})
"""Those of them that are tables."""

WRITERS: Final[Mapping[str, Writer]] = MappingProxyType({name: module for name, module in FORMATS.items() if isinstance(module, Writer)})
"""The formats that can be written."""

MEDIA_TYPES: Final[tuple[str, ...]] = (*sorted({type for module in READERS.values() for type in module.CONTENT_TYPES}), ANYTHING)
"""How a sender may call his bytes, parameters such as charset apart; the bytes themselves decide what they are."""

__all__ = ["FORMATS", "MEDIA_TYPES", "READERS", "TABLES", "WRITERS", "Format", "Parsed", "Reader", "Sketch", "Tabular", "Writer"]
