"""Files for a system that takes them from a folder or over SFTP: CSV, fixed width, JSON Lines, X12, EDIFACT."""

from adapters.targets.drop.target import DropTarget, connect

__all__ = ["DropTarget", "connect"]
