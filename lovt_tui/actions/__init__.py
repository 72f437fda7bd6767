"""What the dashboard does, through the very functions of the command line. Called in worker threads."""
