"""The store: the only room that knows SQL. Rows never leave it; canonical types and plain mappings do.

It never commits: whoever calls opens the transaction (`hub.store.engine`).
"""
