"""Past one machine: the same keys, comparators, weights and clustering on Apache Spark.

A partition of the rows goes through the same functions of `rules.match` as a whole table does; what only the whole
tells (how common a value is, which keys too many share, the weights) is counted by Spark and handed to every
partition. The driver holds numbers, never texts. Only this package may import PySpark; it is imported when asked for.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from hub.errors import EngineMissing


def require_spark() -> None:
    """Raise EngineMissing unless PySpark, what it stands on and Java are here."""
    for library in ("pyspark", "pandas"):
        if find_spec(library) is None:
            raise EngineMissing(f"the Spark engine needs {library}, which is not installed.")
    java = os.environ.get("JAVA_HOME")
    if shutil.which(Path(java, "bin", "java") if java else "java") is None:
        raise EngineMissing("the Spark engine needs Java 17 or later, and none was found.")
