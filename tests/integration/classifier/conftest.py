"""Registers the classifier's fixtures; the pieces themselves are in `tests.support.classification`."""

from tests.support.classification import classifier, classifier_url

__all__ = ["classifier", "classifier_url"]
