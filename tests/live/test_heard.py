"""Signals are heard, whichever thread they were given to."""

from __future__ import annotations

import os
import signal
import threading
import time

from unbidden.commands.heard import hearing


def given_here(number: int) -> None:
    """Give this thread a signal, as the system may, once the main one waits."""
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), number)


def test_a_signal_that_another_thread_was_given_is_heard() -> None:
    with hearing(signal.SIGUSR1) as heard:
        other = threading.Thread(target=given_here, args=(signal.SIGUSR1,))
        other.start()
        # Whoever is not woken is woken by this one, and gives what came last.
        late = threading.Timer(10, heard.tell, (0,))
        late.start()
        assert heard.get() == signal.SIGUSR1
        late.cancel()
        other.join()


def test_they_are_given_in_the_order_in_which_they_came() -> None:
    with hearing(signal.SIGUSR1) as heard:
        heard.listen(signal.SIGUSR2)
        for number in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        heard.tell(0)
        assert [heard.get() for _ in range(4)] == [signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR1, 0]


def test_what_they_did_before_they_do_after_it() -> None:
    said: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: said.append(number))
    try:
        with hearing() as heard:
            os.kill(os.getpid(), signal.SIGUSR1)
            heard.listen(signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGUSR1)
            heard.tell(0)
            assert said == [signal.SIGUSR1]
        heard.tell(1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert said == [signal.SIGUSR1, signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert signal.set_wakeup_fd(-1) == -1
