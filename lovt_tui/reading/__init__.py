"""The one thread that reads, and the frozen snapshots that it hands to the screens."""
