"""Stages side by side: each draws from the one before in a thread of its own."""

from collections.abc import Generator, Iterable
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, TypeVar

Item = TypeVar("Item")


def ahead(items: Iterable[Item], depth: int) -> Generator[Item]:
    """Draw items in a thread, up to `depth` before they are asked for.

    Order and values stay as they are; an error appears where the item would have. Close the
    generator (`contextlib.closing`) to end the thread before its items are used up: `items` is
    then closed as well.

    Args:
        items: What to draw; only the thread touches it.
        depth: Items that wait at most.
    """
    waiting: Queue[tuple[bool, Any]] = Queue(depth)
    stopped = Event()
    thread = Thread(target=_draw, args=(items, waiting, stopped), daemon=True)
    thread.start()
    try:
        while True:
            is_item, value = waiting.get()
            if is_item:
                yield value
            elif value is None:
                return
            else:
                raise value
    finally:
        stopped.set()
        _drain(waiting, thread)


def _draw(items: Iterable[Item], waiting: Queue[tuple[bool, Any]], stopped: Event) -> None:
    source = iter(items)
    try:
        for item in source:
            waiting.put((True, item))
            if stopped.is_set():
                break
    except BaseException as error:
        waiting.put((False, error))
    else:
        waiting.put((False, None))
    finally:
        if isinstance(source, Generator):
            source.close()


def _drain(waiting: Queue[tuple[bool, Any]], thread: Thread) -> None:
    """Wait until the thread has ended, taking what it still puts."""
    while thread.is_alive():
        try:
            waiting.get(timeout=0.02)
        except Empty:
            continue
