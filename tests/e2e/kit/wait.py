# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions. Tests never sleep: they say what becomes true, and by when."""

import time

import requests

POLL_SECONDS = 0.02

# What a check may raise while its condition is not there yet: its own assertions, and
# what reading a missing field or asking a server that is starting looks like.
NOT_YET = (AssertionError, LookupError, TypeError, requests.RequestException)


def eventually(check, within=10.0):
    """Calls check() until it returns something true; that is returned. When the time is
    over, what the last call raised or returned is the failure."""
    deadline = time.monotonic() + within
    while True:
        try:
            outcome = check()
            if outcome:
                return outcome
            failure = AssertionError(f"not within {within} s: {check.__name__} is still {outcome!r}")
        except NOT_YET as error:
            failure = AssertionError(f"not within {within} s: {type(error).__name__}: {error}")
        if time.monotonic() > deadline:
            raise failure
        time.sleep(POLL_SECONDS)


def stays(check, seconds):
    """Calls check() for so long; it must be true, and not raise, every time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        outcome = check()
        assert outcome, f"{check.__name__} became {outcome!r}"
        time.sleep(POLL_SECONDS)
