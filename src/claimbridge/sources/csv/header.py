"""The header of claims in CSV: which column is which field, by its name or a Chinese one.

docs/sources.md lists the names. A name means one field, whatever its case and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Claim, ClaimLine, SupportingDocument
from claimbridge.model.text import plain

NEEDED: Final = ("id", "line.type", "line.amount")
"""Without these columns a row of names is no header."""
_CHINESE: Final = MappingProxyType(
    {
        "id": "报销单号 单号 单据编号 单据号",
        "revision": "版本 修订 修订号",
        "company": "公司 公司代码 公司编码 法人公司",
        "employee": "员工 工号 员工编号 员工工号 报销人工号",
        "employee_name": "姓名 员工姓名 报销人 报销人姓名",
        "currency": "币种 货币 本位币",
        "total": "合计 总额 总金额 合计金额 报销金额 报销总额",
        "title": "标题 事由 报销事由",
        "department": "部门 部门编码 所属部门",
        "cost_centre": "成本中心",
        "country": "国家",
        "grade": "职级",
        "approved_at": "审批时间 批准时间",
        "approver": "审批人 批准人",
        "posting_date": "记账日期 过账日期 入账日期",
        "line.type": "费用类型 费用类别 费用科目",
        "line.date": "日期 费用日期 消费日期 发生日期",
        "line.amount": "金额 费用金额 价税合计 含税金额",
        "line.currency": "费用币种 原币币种 消费币种",
        "line.rate": "汇率",
        "line.tax": "税额",
        "line.tax_rate": "税率",
        "line.payment": "支付方式 付款方式",
        "line.quantity": "数量",
        "line.unit": "单位",
        "line.project": "项目 项目编号 项目编码",
        "line.text": "说明 摘要 备注 费用说明",
        "line.company": "承担公司 费用公司",
        "line.department": "承担部门 费用部门",
        "line.cost_centre": "承担成本中心 费用成本中心",
        "document.kind": "发票类型 票据类型 发票种类",
        "document.number": "发票号码 发票号",
        "document.code": "发票代码",
        "document.date": "开票日期 发票日期",
        "document.amount": "发票金额",
        "document.tax": "发票税额",
        "document.seller": "销售方 销方名称 开票方 销售方名称",
    }
)


class Column(NamedTuple):
    """One column: the field that it is, and what the file calls it."""

    field: str
    written: str

    def __str__(self) -> str:
        return self.field if self.written == self.field else f"{self.written} ({self.field})"


def fields_of(struct: type[msgspec.Struct], prefix: str = "") -> tuple[str, ...]:
    """Return the columns of a struct's fields that one cell can hold."""
    lists = {"lines", "documents", "items", "taxes", "allocations", "advances", "payees"}
    names = (field.name for field in msgspec.structs.fields(struct))
    return tuple(prefix + name for name in names if name not in {*lists, "dimensions"})


KNOWN: Final = frozenset(
    (
        *fields_of(Claim),
        *fields_of(ClaimLine, "line."),
        *fields_of(SupportingDocument, "document."),
    )
)
"""Every column but ``dimensions.NAME`` and ``line.dimensions.NAME``."""
_FIELD_OF: Final = MappingProxyType(
    {name: name for name in KNOWN}
    | {name: field for field, names in _CHINESE.items() for name in names.split()}
)
_DIMENSIONS: Final = ("dimensions.", "line.dimensions.")


def columns_of(cells: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns that a header names; an unknown name is a field of its own."""
    return tuple(_column(cell) for cell in cells)


def _column(cell: str) -> Column:
    written = plain(cell)
    folded = written.casefold().replace(" ", "_") if written.isascii() else written
    for prefix in _DIMENSIONS:
        if folded.startswith(prefix):
            return Column(prefix + written[len(prefix) :], written)
    return Column(_FIELD_OF.get(folded, written), written)


def is_header(columns: Sequence[Column]) -> bool:
    """Return whether a row of names can be the header."""
    return set(NEEDED) <= {column.field for column in columns}


def check_header(
    columns: Sequence[Column], below: Sequence[tuple[int, Sequence[str]]], *, what: str
) -> None:
    """Refuse a header that lacks a column, or has one twice.

    ``below`` are the rows that follow, with their numbers: one of them may be the header.

    Raises ClaimError CB-562.
    """
    fields = [column.field for column in columns if column.field]
    missing = [name for name in NEEDED if name not in fields]
    if missing:
        for number, cells in below:
            if is_header(columns_of(cells)):
                raise _refusal(f"{what}: row {number} is its header; delete the rows above it")
        hint = _hint(missing[0], columns)
        raise _refusal(
            f"{what}: its header has no column {missing[0]}{hint}; docs/sources.md has the columns"
        )
    for column in columns:
        twice = [each.written for each in columns if column.field and each.field == column.field]
        if len(twice) > 1:
            raise _refusal(
                f"{what}: its header has {column.field} twice ({', '.join(twice)}); keep one"
            )


def _hint(field: str, columns: Sequence[Column]) -> str:
    unknown = [column.written for column in columns if column.field and column.field not in KNOWN]
    names = ", ".join(_CHINESE[field].split())
    hint = f" ({names})" if names else ""
    return f"{hint}; nobody knows {', '.join(unknown[:5])}" if unknown else hint


def _refusal(why: str) -> ClaimError:
    return ClaimError(why, code="CB-562")


__all__ = ["KNOWN", "NEEDED", "Column", "check_header", "columns_of", "is_header"]
