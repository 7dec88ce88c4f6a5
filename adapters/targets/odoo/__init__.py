"""Odoo 14 and later as a target: customers, contacts, products and customer invoices."""

from adapters.targets.odoo.target import OdooTarget, connect

__all__ = ["OdooTarget", "connect"]
