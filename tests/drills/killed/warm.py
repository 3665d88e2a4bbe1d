"""Imported by the fork server alone: what every child needs is loaded before it is forked."""

from tests.drills.killed import child, erp
from tests.withstand.scene import PROFILES, chart, contract

for _profile in PROFILES:
    contract(_profile)
chart()

__all__ = ["child", "erp"]
