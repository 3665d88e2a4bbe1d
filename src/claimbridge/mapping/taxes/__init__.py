"""The taxes in what a claim buys: ``LineTaxes`` answers for one line, by its documents."""

from claimbridge.mapping.taxes.documents import DocumentRules
from claimbridge.mapping.taxes.levies import Levy, Split
from claimbridge.mapping.taxes.line_taxes import LineTaxes, Purchase

__all__ = ["DocumentRules", "Levy", "LineTaxes", "Purchase", "Split"]
