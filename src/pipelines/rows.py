"""Tables: their type without the time that importing pandas takes, and their rows."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    Table = pd.DataFrame
else:
    # Kedro resolves the annotations of every node, so the name must exist without pandas.
    Table = Any


def rows_of(table: Table) -> list[dict[str, Any]]:
    """The rows of a table as mappings from column name to value."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def mfcc_array(table: Table) -> Any:
    """The coefficients of an MFCC table as (rows, coefficients) float32."""
    import numpy as np

    return table.drop(columns="time_s").to_numpy(dtype=np.float32)
