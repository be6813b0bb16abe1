"""Doors: the ways in which others push rows into the running service. Each ends in the intake, and none confirms a row before it is kept."""
