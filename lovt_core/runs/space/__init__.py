"""What runs take of the disk: sizes, the trash, what may go, archives."""
