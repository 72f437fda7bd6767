"""What waits, where it may start, starting it, and what is written when it ends."""
