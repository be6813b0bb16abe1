"""Proving: a detection's timelines told to the real line, and what has to hold of it before anybody relies on it."""
