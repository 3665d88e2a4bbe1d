"""Workday: accounting journals."""
