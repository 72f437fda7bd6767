"""What the Compare screen shows: the comparison as a grid of words, cells opened, gaps to fill."""
