"""Runs as lists and lines to read: filters, orders, what happened to one."""
