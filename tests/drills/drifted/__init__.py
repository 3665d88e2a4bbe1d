"""Replies as other versions of an ERP would send them, and what readers make of them."""
