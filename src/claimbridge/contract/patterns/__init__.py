"""Pattern facets, judged in bounded time: XML Schema's regular expressions without libxml2.

libxml2 takes minutes over ordinary patterns, and refuses values that others allow. So the gate
removes pattern facets from the schemas that libxml2 compiles (``without_patterns``), and ``Forms``
judges them: by RE2, whose time is linear in the text. RE2 refuses some patterns for their size;
``spans`` judges these.
"""

from claimbridge.contract.patterns.forms import Forms, without_patterns
from claimbridge.contract.patterns.pattern import Pattern, Undecidable

__all__ = ["Forms", "Pattern", "Undecidable", "without_patterns"]
