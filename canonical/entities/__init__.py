"""The canonical entities, one file each. The list of them is `canonical.catalogue`, and only that."""
