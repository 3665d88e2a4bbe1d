"""Kingdee EAS: vouchers in rows."""
