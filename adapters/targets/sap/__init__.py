"""SAP S/4HANA as a target: customers as business partners, over OData V2."""

from adapters.targets.sap.target import SapTarget, connect

__all__ = ["SapTarget", "connect"]
