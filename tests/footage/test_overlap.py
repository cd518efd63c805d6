import threading
import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.footage.overlap import ahead


@given(st.lists(st.integers()), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_items_come_out_as_they_are_and_in_order(items, depth):
    assert list(ahead(items, depth)) == items


def test_none_is_an_item_like_any_other():
    assert list(ahead([None, 1, None], 2)) == [None, 1, None]


def test_an_error_appears_where_the_item_would_have():
    def failing():
        yield 1
        raise ValueError("second")

    drawn = ahead(failing(), 2)
    assert next(drawn) == 1
    with pytest.raises(ValueError, match="second"):
        next(drawn)


def test_no_more_than_the_depth_and_one_in_hand_are_drawn_ahead():
    drawn = []

    def numbers():
        for k in range(100):
            drawn.append(k)
            yield k

    with closing(ahead(numbers(), 3)) as items:
        next(items)
        time.sleep(0.05)
        assert len(drawn) <= 1 + 3 + 1


def test_closing_ends_the_thread_and_closes_what_it_draws_from():
    closed, before = [], threading.active_count()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.append(threading.current_thread() is not threading.main_thread())

    with closing(ahead(endless(), 2)) as items:
        next(items)
    assert closed == [True]
    assert threading.active_count() == before


def test_an_interrupt_between_items_ends_both_threads_of_a_chain():
    before = threading.active_count()

    def interrupted():
        with (
            closing(ahead(range(1000), 2)) as first,
            closing(ahead((2 * k for k in first), 2)) as second,
        ):
            next(second)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert threading.active_count() == before
