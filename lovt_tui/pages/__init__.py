"""What the screens beside that of the runs show: a wish, the frozen page that answers it, and who reads it."""
