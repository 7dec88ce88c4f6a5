"""Tryton 8 as a target: customers, products and customer invoices, over its JSON-RPC."""

from adapters.targets.tryton.target import TrytonTarget

__all__ = ["TrytonTarget"]
