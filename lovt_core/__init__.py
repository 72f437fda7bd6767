"""Localized vision-language pre-training on chest X-rays: the science and the record."""

__version__ = "0.1.0"
