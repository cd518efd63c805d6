"""Clips on many machines: a task a clip on a Dask cluster.

Workers need this project installed and a folder that all machines see: the footage, `data/`, and
`scratch` for files on their way. A worker that dies costs only the clips it was busy with: others
take them over. A clip on which worker after worker dies is given up, and named.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from talkin.errors import ConfigurationError

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_S = 30


def results_on_cluster(
    address: str | None, call: Callable[..., Any], calls: Mapping[str, tuple[Any, ...]]
) -> Iterator[tuple[str, Any | Exception]]:
    """Results in the order in which they are ready.

    Args:
        address: Of the scheduler, such as `tcp://head:8786`; None for the client of this process.
        call: A function of a module.
        calls: Its arguments, by clip.

    Yields:
        A clip and its result, or the exception with which the cluster gave it up.

    Raises:
        ConfigurationError: If there is no cluster at that address.
    """
    from distributed import as_completed

    client = _client(address)
    futures = {client.submit(call, *args, pure=False): clip for clip, args in calls.items()}
    try:
        for future in as_completed(list(futures)):
            clip = futures.pop(future)
            yield clip, future.exception() if future.status == "error" else future.result()
            future.release()
    finally:
        client.cancel(list(futures))
        if address is not None:
            client.close()


def _client(address: str | None) -> "Client":
    try:
        from distributed import Client, get_client
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "parallel.backend dask needs Dask: pip install 'talkin[cluster]', here and on workers"
        ) from error
    try:
        return get_client() if address is None else Client(address, timeout=_CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigurationError(
            f"parallel.scheduler: no Dask scheduler answers at {address}; start one with "
            "`dask scheduler` and workers with `dask worker ADDRESS --nthreads 1`"
        ) from error
