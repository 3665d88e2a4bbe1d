"""Which tests have the mark ``quick``: those that a contributor runs while they work.

All of them take under three minutes on two cores, and the rest about sixteen. Slow is what kills
processes, waits for quiet periods, builds and installs, opens the largest contracts, or runs
hundreds of cases of one kind. At least one test of each slow kind, and of each real peer, is quick.
"""

from __future__ import annotations

from typing import Final

SLOW: Final = (
    "tests/benchmarks/",
    "tests/cli/test_bad_input.py",
    "tests/cli/test_books.py",
    "tests/cli/test_codes.py",
    "tests/cli/test_contract_uses.py",
    "tests/cli/test_contracts.py",
    "tests/cli/test_doctor.py",
    "tests/cli/test_exit_codes.py",
    "tests/cli/test_forms.py",
    "tests/cli/test_output.py",
    "tests/cli/test_probe.py",
    "tests/cli/test_signatures.py",
    "tests/cli/test_terminal.py",
    "tests/contract/test_breadth.py",
    "tests/contract/test_check.py",
    "tests/contract/test_encoded.py",
    "tests/contract/test_first_use.py",
    "tests/contract/test_hostile.py",
    "tests/contract/test_lock.py",
    "tests/contract/test_overview.py",
    "tests/contract/test_patterns.py",
    "tests/contract/test_pruning.py",
    "tests/contract/test_types.py",
    "tests/docs/test_contracts_page.py",
    "tests/docs/test_documents.py",
    "tests/drills/",
    "tests/examples/",
    "tests/journal/test_sqlite_file.py",
    "tests/journal/test_sqlite_processes.py",
    "tests/ledger/test_repeated_answers.py",
    "tests/ledger/test_signed_replies.py",
    "tests/mapping/chart/test_checks.py",
    "tests/mapping/chart/test_packages.py",
    "tests/mapping/chart/test_properties.py",
    "tests/mapping/test_mapping_properties.py",
    "tests/model/test_claim_parts.py",
    "tests/packaging/",
    "tests/peers/",
    "tests/profiles/test_example_claims.py",
    "tests/profiles/test_netsuite_first_day.py",
    "tests/profiles/test_netsuite_reports.py",
    "tests/profiles/test_requests.py",
    "tests/profiles/test_sap_options.py",
    "tests/profiles/test_voucher_xml.py",
    "tests/sandbox/test_faults.py",
    "tests/sandbox/test_state.py",
    "tests/signing/test_second_opinion.py",
    "tests/signing/test_sign.py",
    "tests/signing/test_vectors.py",
    "tests/signing/trust/test_timestamping.py",
    "tests/soap/test_readable_replies.py",
    "tests/soap/test_sorting.py",
    "tests/soap/test_time.py",
    "tests/soap/test_tls.py",
    "tests/sources/hesi/",
    "tests/sources/test_bad_input.py",
    "tests/sources/test_intake_processes.py",
    "tests/sources/test_invoice_twice.py",
    "tests/sources/test_webhook.py",
    "tests/testing/test_conformance.py",
    "tests/testing/test_plugin.py",
    "tests/typing/",
    "tests/withstand/",
    "tests/xmlio/test_canonical_bytes.py",
)
"""Files and folders of slow tests."""

ONE_OF_EACH: Final = (
    "tests/contract/test_hostile.py::test_a_wsdl_that_imports_itself_is_read_once",
    "tests/drills/test_simulate.py::test_nothing_lost_nothing_duplicated[",
    "tests/examples/test_programs.py::test_it_posts[submit_claim.py",
    "tests/journal/test_sqlite_processes.py::test_kill_9_loses_nothing",
    "tests/peers/test_mock_sap.py::test_a_claim_is_posted_once_committed_and_found",
    "tests/peers/test_node_client.py::test_node_reverses",
    "tests/peers/test_php_eas.py::test_php_reads_the_login",
    "tests/peers/test_php_ledger.py::test_a_journal_entry_is_reversed_once",
    "tests/peers/test_signature_judges.py::test_so_does_the_command",
    "tests/peers/test_zeep_client.py::test_zeep_reads_typed_faults",
    "tests/soap/test_tls.py::",
    "tests/sources/hesi/test_form.py::",
    "tests/withstand/test_changes.py::",
    "tests/withstand/test_faults.py::test_the_table_knows_every_fault",
    "tests/withstand/test_invoices.py::",
    "tests/withstand/test_revisions.py::",
)
"""Those of them that are quick all the same: what their names begin with."""


def is_quick(name: str) -> bool:
    """Say whether the test of that node id is quick."""
    return not name.startswith(SLOW) or name.startswith(ONE_OF_EACH)
