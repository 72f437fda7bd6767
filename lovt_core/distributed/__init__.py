"""One training on several processes: the worker starts them, the first one's values come back to it."""
