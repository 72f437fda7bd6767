"""Keys, their names, and the palette that finds what they do."""
