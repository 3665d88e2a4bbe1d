"""How a voucher's postings become the items of an SAP document, over any interface.

Limits are those of SAP's tables: BKPF-BKTXT 25 characters, BSEG-SGTXT 50, one currency a document.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Posting, Role, Side, Voucher
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.sourced import Sourced, claim_field

HEADER_TEXT: Final = 25
ITEM_TEXT: Final = 50
_PAYABLES: Final = frozenset({Role.EMPLOYEE_PAYABLE, Role.CARD_PAYABLE})


def item_text(posting: Posting) -> Sourced:
    """Return a posting's narration as an item takes it: one line, cut to its length."""
    return Sourced(one_line(posting.narration, limit=ITEM_TEXT), claim_field(posting, "narration"))


def is_creditor(posting: Posting) -> bool:
    """Say whether a posting goes to a creditor, whose account SAP takes from its master record."""
    return posting.role in _PAYABLES and bool(posting.partner)


def roles_of(names: Collection[str], *, option: str) -> frozenset[Role]:
    """Return the roles of these names; raises ConfigurationError CB-243 naming the ``option``."""
    unknown = sorted(set(names) - set(Role))
    if unknown:
        raise ConfigurationError(
            f"{option} names {unknown[0]!r}, which is not a role of a posting; "
            f"the roles are {', '.join(Role)}",
            code="CB-243",
        )
    return frozenset(map(Role, names))


def is_tax(posting: Posting) -> bool:
    """Say whether a posting is a tax item: an input tax with its code and base."""
    coded = bool(posting.tax_code) and posting.tax_base is not None
    return posting.role is Role.INPUT_TAX and coded


def amount_with_sign(posting: Posting, size: Decimal) -> Decimal:
    """Return ``size`` as SAP signs it, exactly: a credit is negative."""
    return size if posting.side is Side.DEBIT else size.copy_negate()


def codes_on_items(voucher: Voucher) -> frozenset[str]:
    """Return the tax codes that G/L items carry; a tax of another code is posted directly."""
    return frozenset(posting.tax_code for posting in voucher.postings if not is_tax(posting))


def check_currency(voucher: Voucher) -> None:
    """Raise ClaimError CB-161 for postings in several currencies."""
    only_currency(voucher, holds="an SAP journal entry has one transaction currency", code="CB-161")


def check_dimensions(posting: Posting, known: Collection[str], claim_id: str) -> None:
    """Raise ClaimError CB-162 for a dimension that SAP has no place for; none is dropped."""
    foreign = sorted(posting.dimensions.keys() - set(known))
    if foreign:
        raise ClaimError(
            f"{claim_field(posting, f'dimensions.{foreign[0]}')}: SAP's journal entry has no place "
            f"for the dimension {foreign[0]!r}; it takes {', '.join(known)}",
            code="CB-162",
            claim_id=claim_id,
        )
