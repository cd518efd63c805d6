"""Typed parameters whose classes live in heavy modules.

Kedro fills a node's parameters by the type of its arguments. The library's configurations stand
beside the code they configure, and importing that code takes seconds (torch), which `kedro
registry list` need not spend. A stand-in is a pydantic class by name that imports the real one
when the first value is checked, and gives back the real one's instance.
"""

import importlib
from functools import lru_cache
from typing import Any

from pydantic import BaseModel


@lru_cache  # one class a name: Kedro compares the annotations of different nodes
def configured(where: str) -> Any:
    """A stand-in for a configuration class.

    Args:
        where: `module:Class`, such as `talkin.face3d.fitting:FitConfig`.

    Returns:
        A class for annotations; `model_validate` returns an instance of the real class.
    """
    module, name = where.split(":")

    def real_class() -> type[BaseModel]:
        found: type[BaseModel] = getattr(importlib.import_module(module), name)
        return found

    def model_validate(_: type, value: Any) -> BaseModel:
        return real_class().model_validate(value)

    return type(
        name,
        (BaseModel,),
        {
            "__module__": __name__,
            "__doc__": f"Stand-in for `{where}`.",
            "model_validate": classmethod(model_validate),
            "real_class": staticmethod(real_class),
        },
    )
