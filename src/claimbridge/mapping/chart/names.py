"""The names of a chart's sheets, columns and keys in Chinese, beside the English ones.

docs/chart.md lists them. A Chinese name means one sheet, or one key whatever sheet it stands in.
What could mean two things is no name here: ``失效日期`` could be the last valid day or the day
after it, and ``费用科目`` a type or an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

CHINESE_SHEETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "chart": "科目表 会计科目表",
        "accounts": "科目 固定科目",
        "company": "公司",
        "expense": "费用 费用规则",
        "invoice": "发票 票据",
        "cash_flow": "现金流量",
        "narration": "摘要",
        "allocation": "分摊",
        "intercompany": "公司间 内部往来",
        "periods": "期间设置",
        "period": "期间 会计期间",
    }
)
"""By sheet, its Chinese names, separated by spaces."""

CHINESE_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "key": "键 键名 参数",
        "value": "值 取值 参数值",
        # expense, with its conditions
        "type": "费用类型 费用类别",
        "account": "科目 科目编码 科目代码 会计科目",
        "name": "名称 费用名称 期间名称",
        "tax_rate": "税率",
        "deductible": "可抵扣 可抵扣比例 抵扣比例",
        "tax_code": "税码 税代码",
        "non_deductible_tax": "不可抵扣税 不可抵扣税额",
        "cost_centre": "成本中心要求",
        "default_cost_centre": "默认成本中心 缺省成本中心",
        "dimensions": "维度 辅助核算",
        "company": "公司 公司代码 公司编码",
        "department": "部门 部门代码 部门编码",
        "project": "项目 项目编号 项目编码",
        "employee": "员工 工号 员工编号 员工工号",
        "grade": "职级",
        "country": "国家",
        "payment": "支付方式 付款方式",
        "amount_over": "金额大于",
        "amount_up_to": "金额不超过",
        "valid_from": "生效日期 有效期自",
        "valid_to": "截止日期 有效期至",
        "when": "条件",
        "narration": "摘要 摘要模板",
        "per_unit": "单价 每单位金额",
        "unit": "单位 计量单位",
        "tax_free_per_unit": "每单位免税额",
        "taxable_account": "应税科目",
        # chart
        "extends": "上级科目表 集团科目表",
        "rows": "费用文件",
        "account_list": "科目清单",
        "department_list": "部门清单",
        # accounts
        "employee_payable": "应付员工款",
        "card_payable": "应付公司卡款",
        "input_tax": "进项税 进项税额",
        "rounding": "尾差",
        "fx_difference": "汇兑差额 汇兑损益",
        "card_clearing": "公司卡清算",
        "advance_clearing": "借款清算 备用金清算",
        # company
        "currency": "币种 货币 本位币",
        "time_zone": "时区",
        "rates": "汇率",
        "closed_until": "关账至 结账至",
        "closed": "关账期间",
        "open": "开放 开放期间",
        "intercompany": "公司间 内部往来",
        "receivable": "应收科目",
        "payable": "应付科目",
        # invoice
        "kind": "发票类型 票据类型 发票种类",
        "tax": "税额",
        # cash_flow
        "item": "现金流量项目",
        # narration, allocation, intercompany
        "line": "行摘要",
        "claim": "单据摘要 报销单摘要",
        "remainder": "尾差归属",
        "mode": "模式",
        # periods and period
        "posting_date": "记账日期 过账日期",
        "when_closed": "关账时",
        "start": "年度开始",
        "calendar": "日历",
        "week_start": "周起始日",
        "year_begins": "年度起点",
        "year_name": "年度名称",
        "first": "首日 开始日期",
        "last": "末日 结束日期",
    }
)
"""By key, its Chinese names, separated by spaces."""

_SHEET_OF: Final = MappingProxyType(
    {name: sheet for sheet, names in CHINESE_SHEETS.items() for name in names.split()}
)
_KEY_OF: Final = MappingProxyType(
    {name: key for key, names in CHINESE_KEYS.items() for name in names.split()}
)


class Header(NamedTuple):
    """A key as a sheet writes it, and in English: ``汇率.EUR`` is ``rates.EUR``."""

    key: str
    written: str

    @classmethod
    def of(cls, written: str) -> Header:
        """Return the key that a header names; a text that is no Chinese name is the key itself."""
        table, dot, rest = written.partition(".")
        code, between, last = rest.rpartition(".")
        if between:  # intercompany.SG01.payable: the code is not ours to translate
            last = _KEY_OF.get(last, last)
        return cls(f"{_KEY_OF.get(table, table)}{dot}{code}{between}{last}", written)

    def __str__(self) -> str:
        return self.key if self.written == self.key else f"{self.written} ({self.key})"


def sheet_of(title: str) -> str:
    """Return the English name of a sheet; a title that is no name of one, in small letters."""
    return _SHEET_OF.get(title, title.lower())


def chinese_keys(keys: Mapping[str, object]) -> tuple[str, ...]:
    """Return the Chinese names of some keys."""
    return tuple(name for key in keys for name in CHINESE_KEYS.get(key, "").split())


def chinese_sheets() -> tuple[str, ...]:
    """Return the Chinese names of all sheets."""
    return tuple(_SHEET_OF)


__all__ = [
    "CHINESE_KEYS",
    "CHINESE_SHEETS",
    "Header",
    "chinese_keys",
    "chinese_sheets",
    "sheet_of",
]
