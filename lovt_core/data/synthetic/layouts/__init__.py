"""How cases are written to disk: one module for each original layout."""
