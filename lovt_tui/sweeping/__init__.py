"""What the Sweeps screen and `lovt sweep` show: studies, trials, plots, as pure functions."""
