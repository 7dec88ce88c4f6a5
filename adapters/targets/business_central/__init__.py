"""Dynamics 365 Business Central as a target: customers, items and sales invoices, over its API v2.0."""

from adapters.targets.business_central.target import BusinessCentralTarget, connect

__all__ = ["BusinessCentralTarget", "connect"]
