"""Screens: they lay out widgets, route their messages and say what the poller is to watch."""
