"""The field map: which field of a company's Hesi forms becomes which field of a claim.

    [claim]
    company = { field = "u_法人实体", label = "法人实体", type = "reference", table = "companies" }

    [line]
    type = { field = "feeTypeId", type = "reference", table = "expense_types" }

    [tables.companies]
    "ID01corp" = "CN01"

What a map leaves out is read as Hesi's own fields usually are; ``false`` leaves a field unread.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.places import path_in

Kind = Literal[
    "text", "number", "percent", "money", "date", "reference", "person", "choice", "switch"
]


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where one field of a claim comes from.

    ``field`` is a path within the form (``feeTypeForm.amount``), or several of which the first
    that holds something counts; ``value`` in its place is the same for every claim. ``label`` is
    what people call it on the form. ``table`` turns an id into the ERP's code; ``values`` do that
    for a choice. ``required`` refuses a form without it.
    """

    field: str | tuple[str, ...] = ""
    type: Kind = "text"
    label: str = ""
    value: str = ""
    table: str = ""
    values: dict[str, str] = {}
    required: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is looked for, in this order; none for a fixed value."""
        return (self.field,) if isinstance(self.field, str) else self.field


Section = dict[str, Field]
_S = TypeVar("_S", bound=msgspec.Struct)

_MONEY: Final[Kind] = "money"
_REFERENCE: Final[Kind] = "reference"


def _field(path: str, kind: Kind, label: str, **more: Any) -> Field:
    return Field(field=path, type=kind, label=label, **more)


_USUAL: Final[dict[str, Section]] = {
    "claim": {
        "id": _field("code", "text", "单据编号", required=True),
        "title": _field("title", "text", "标题"),
        "company": Field(label="法人实体", required=True),
        "employee": _field("submitterId", "person", "提交人", table="employees", required=True),
        "total": _field("expenseMoney", _MONEY, "报销金额", required=True),
        "company_paid": _field("companyRealPay", _MONEY, "企业已付金额"),
        "written_off": _field("writtenOffMoney", _MONEY, "核销金额"),
        "to_pay": _field("payMoney", _MONEY, "支付金额"),
    },
    "line": {
        "type": _field("feeTypeId", _REFERENCE, "费用类型", table="expense_types", required=True),
        "amount": _field("feeTypeForm.amount", _MONEY, "费用金额", required=True),
        "date": Field(
            field=("feeTypeForm.feeDate", "feeTypeForm.feeDatePeriod.start"),
            type="date",
            label="消费日期",
            required=True,
        ),
        "text": _field("feeTypeForm.consumptionReasons", "text", "消费原因"),
    },
    "invoice": {
        "kind": Field(value="invoice"),
        "id": _field("invoiceId", "text", "发票"),
        "deductible_tax": _field("taxAmount", _MONEY, "可抵扣税额"),
    },
    "allocation": {
        "amount": _field("apportionForm.apportionMoney", _MONEY, "分摊金额"),
        "share": _field("apportionForm.apportionPercent", "percent", "分摊比例"),
    },
    "payee": {
        "partner": _field(
            "dataLinkForm.E_system_支付计划_收款信息",
            _REFERENCE,
            "收款信息",
            table="payees",
            required=True,
        ),
        "amount": _field(
            "dataLinkForm.E_system_支付计划_支付金额", _MONEY, "支付金额", required=True
        ),
    },
    "advance": {
        "reference": _field("loanId", "text", "借款单", required=True),
        "settled": _field("amount", _MONEY, "核销金额", required=True),
    },
}

LISTS: Final = {
    "line": "details",
    "invoice": "details.feeTypeForm.invoiceForm.invoices",
    "allocation": "details.feeTypeForm.apportions",
    "payee": "payPlan",
    "advance": "writtenOffRecords",
}
"""Where the forms keep the lists whose members are a claim's parts."""

SEVERAL_PAYEES: Final = "multiplePayeesMode"

_BESIDES: Final = {
    "claim": "employee_name department cost_centre country grade posting_date",
    "line": "tax tax_rate deductible payment personal quantity unit company cost_centre department "
    "project",
    "invoice": "number code date amount tax fare total seller uri",
    "allocation": "company cost_centre department project",
    "payee": "name",
    "advance": "returned",
}

_KINDS: Final[dict[str, frozenset[str]]] = {
    "money": frozenset({"total", "amount", "company_paid", "written_off", "to_pay", "tax", "fare",
                        "deductible_tax", "settled", "returned"}),
    "date": frozenset({"date", "posting_date"}),
}  # fmt: skip

NOISE: Final = frozenset(
    {
        "specificationId", "printCount", "printState", "onlyOwnerPrint", "reviewStatus",
        "ownerAndApproverPrintNodeFlag", "voucherNo", "voucherStatus", "voucherCreateTime",
        "fiscalPeriod", "submitDate", "flowEndTime", "preNodeApprovedTime", "payDate",
        "timeToEnterPendingPayment", "paymentChannel", "paymentAccountId", "multiplePayeesMode",
        "payPlanMode", "payeePayPlan", "payPlan.dataLinkId", "payPlan.dataLinkTemplateId",
        "writtenOffRecords.id", "details.specificationId", "details.feeType",
        "details.feeTypeForm.detailId", "details.feeTypeForm.apportions.specificationId",
        "details.feeTypeForm.apportions.apportionForm.apportionId", "details.feeTypeForm.invoice",
        "details.feeTypeForm.invoiceForm.type", "details.feeTypeForm.invoiceForm.invoiceConfirm",
        "details.feeTypeForm.invoiceForm.invoices.itemIds",
    }
)  # fmt: skip
"""What Hesi keeps in every form for its own ends: no map need say that it ignores it."""


class FieldMap(msgspec.Struct, frozen=True, kw_only=True):
    """A field map, checked.

    ``sections`` hold the fields by the part of the claim that they fill, ``dimensions`` those of
    ``[claim.dimensions]`` and the like. ``currency`` is of money that names none; empty: it must.
    ``details`` reads every document by its id, because the list leaves out what the map needs.
    """

    sections: dict[str, Section]
    dimensions: dict[str, Section] = {}
    tables: dict[str, dict[str, str]] = {}
    forms: tuple[str, ...] = ("expense",)
    currency: str = ""
    details: bool = False
    ignore: frozenset[str] = frozenset()

    def claim_fields(self) -> dict[str, str]:
        """Return every path of a form that is read, with the field of the claim that it fills."""
        by_path: dict[str, str] = {}
        for section, fields in _all(self):
            root = f"{LISTS[section]}." if section in LISTS else ""
            for name, field in fields:
                for path in filter(None, field.paths):
                    whole = root + path
                    others = f"{by_path[whole]}, " if whole in by_path else ""
                    by_path[whole] = f"{others}{section}.{name}"
        return by_path


def _all(fields: FieldMap) -> Iterator[tuple[str, Iterable[tuple[str, Field]]]]:
    for section, by_name in fields.sections.items():
        yield section, by_name.items()
    for section, by_name in fields.dimensions.items():
        yield section, ((f"dimensions.{name}", field) for name, field in by_name.items())


class _MapFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it stands."""

    claim: dict[str, Any] = {}
    line: dict[str, Any] = {}
    invoice: dict[str, Any] = {}
    allocation: dict[str, Any] = {}
    payee: dict[str, Any] = {}
    advance: dict[str, Any] = {}
    tables: dict[str, dict[str, str] | str] = {}
    forms: tuple[str, ...] = ("expense",)
    currency: str = ""
    details: bool = False
    ignore: tuple[str, ...] = ()


def load_map(path: str | Path) -> FieldMap:
    """Return the field map in a TOML file; its tables may stand in CSV files beside it.

    Raises ConfigurationError CB-522 naming the key that is wrong.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of TOML, UTF-8, numbers of many digits
        raise _wrong(path, f"is not TOML: {error}") from error
    return map_from(table, where=path)


def map_from(table: Mapping[str, Any], *, where: Path) -> FieldMap:
    """Return the field map that plain values describe; ``where`` is its file, for the errors."""
    file = _convert(table, _MapFile, where, "")
    sections: dict[str, Section] = {}
    dimensions: dict[str, Section] = {}
    for section, usual in _USUAL.items():
        entries = dict(getattr(file, section))
        free = entries.pop("dimensions", {})
        sections[section] = _section(section, usual, entries, where)
        if free:
            if section not in {"claim", "line", "allocation"} or not isinstance(free, dict):
                raise _wrong(where, f"[{section}.dimensions] has no place there")
            dimensions[section] = {
                name: _one(entry, f"{section}.dimensions.{name}", where)
                for name, entry in free.items()
            }
    fields = FieldMap(
        sections=sections,
        dimensions=dimensions,
        tables={name: _table(entry, name, where) for name, entry in file.tables.items()},
        forms=file.forms,
        currency=file.currency,
        details=file.details,
        ignore=frozenset(file.ignore) | NOISE,
    )
    _check_tables(fields, where)
    return fields


def _section(name: str, usual: Section, entries: Mapping[str, Any], where: Path) -> Section:
    names = usual.keys() | set(_BESIDES[name].split())
    section = dict(usual)
    for key, entry in entries.items():
        place = f"{name}.{key}"
        if key not in names:
            raise _wrong(
                where, f"{place} is no field of a claim; [{name}] has: {_sorted_names(names)}"
            )
        if entry is False:
            section.pop(key, None)
            continue
        field = _one(entry, place, where)
        for kind, fields in _KINDS.items():
            if key in fields and field.type != kind and field.field:
                raise _wrong(where, f'{place} must have type = "{kind}"')
        section[key] = msgspec.structs.replace(
            field,
            label=field.label or (usual[key].label if key in usual else ""),
            required=field.required or (key in usual and usual[key].required),
        )
    for key, field in section.items():
        if field.required and not field.value and not any(field.paths):
            raise _wrong(where, f"{name}.{key} is missing: say which field of the form has it")
    return section


def _one(entry: object, place: str, where: Path) -> Field:
    field = _convert(entry, Field, where, place)
    if bool(field.value) == any(field.paths):
        raise _wrong(where, f"{place} must have either field or value")
    if field.type == "choice" and not field.values:
        raise _wrong(where, f"{place} is a choice without values")
    return field


def _table(entry: dict[str, str] | str, name: str, where: Path) -> dict[str, str]:
    """Return a table of codes by id; a text names a CSV file whose first two columns they are."""
    if isinstance(entry, dict):
        return entry
    try:
        path = path_in(where.parent, entry)
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, ValueError, csv.Error) as error:
        raise _wrong(where, f"tables.{name}: {entry} cannot be read as CSV") from error
    table: dict[str, str] = {}
    for number, cells in enumerate(rows[1:], start=2):
        if not cells or not any(cells):
            continue
        if len(cells) < 2 or not cells[0].strip() or not cells[1].strip():
            raise _wrong(where, f"tables.{name}: {entry}, row {number} has no id or no code")
        if table.setdefault(cells[0].strip(), cells[1].strip()) != cells[1].strip():
            raise _wrong(where, f"tables.{name}: {entry}, row {number} repeats {cells[0]}")
    return table


def _check_tables(fields: FieldMap, where: Path) -> None:
    for section, by_name in _all(fields):
        for name, field in by_name:
            # Employees may also be looked up by the program that opens the source, and Hesi's own
            # fields are missed when a form has them.
            if field.type == "person" or field is _USUAL[section].get(name):
                continue
            if field.table and field.table not in fields.tables:
                raise _wrong(where, f"{section}.{name} asks for tables.{field.table}: add it")


def _convert(value: object, kind: type[_S], where: Path, place: str) -> _S:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _wrong(where, f"{place}: {error}" if place else str(error)) from error


def _sorted_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _wrong(where: Path, what: str) -> ConfigurationError:
    return ConfigurationError(f"the field map {where}: {what}", code="CB-522")
