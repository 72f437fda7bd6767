"""The SQLite index of a workspace's runs: built from their directories, read by everybody, thrown away at will."""
