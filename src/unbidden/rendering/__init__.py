"""Rows of a vendor out of events, for the simulator: the providers whose inverse is too long for one file."""
