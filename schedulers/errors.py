"""Errors of the schedulers package.

* `SchedulingError`: base class; catch it to catch them all.
    * `BudgetError`: a budget is stated in a way that can't be kept; also a `ValueError`.
"""


class SchedulingError(Exception):
    """Base class of everything that this package raises on purpose."""


class BudgetError(SchedulingError, ValueError):
    """A budget is stated in a way that can't be kept; the message says what to write instead."""
