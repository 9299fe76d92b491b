"""Registers the fixtures; test pieces themselves are imported from `tests.support`."""

pytest_plugins = (
    "tests.support.promises",
    "tests.support.postgres",
    "tests.support.broker",
    "tests.support.messaging",
    "tests.support.sink",
    "tests.support.kannel",
)
