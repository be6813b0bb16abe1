"""Commands: the doors that are too large for one file, and the shell around all of them. No logic is in any."""
