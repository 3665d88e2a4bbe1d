"""The reference service as an ERP that takes short documents, and longer ones later."""

from __future__ import annotations

import msgspec

from claimbridge.profiles.reference.profile import Reference


class ShortDocuments(Reference):
    """Five postings in a document: three or four claim lines and what is owed for them."""

    capabilities = msgspec.structs.replace(Reference.capabilities, postings=5)


class LongerDocuments(Reference):
    """What the ERP takes after an update of its own."""

    capabilities = msgspec.structs.replace(Reference.capabilities, postings=50)
