"""What the Data screen shows and does, as pure functions and background jobs."""
