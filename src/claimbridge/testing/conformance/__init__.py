"""The conformance suite: what every profile must pass, ours and yours, as cases for pytest.

    from claimbridge.testing.conformance import conformance_cases

    CASES = conformance_cases("my_erp:MyErp", responder="my_erp_sandbox:Responder")

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_conforms(case):
        case.run()

Without a responder it judges requests and replies alone, ``recorded`` ones drifted too. With one it
runs every disturbance of the sandbox against the real clients. ``check`` runs all at once.
"""

from claimbridge.testing.conformance.cases import ConformanceCase, check, conformance_cases
from claimbridge.testing.conformance.subject import Nonconformity, Subject

__all__ = ["ConformanceCase", "Nonconformity", "Subject", "check", "conformance_cases"]
