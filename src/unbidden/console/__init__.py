"""The console: the pages that people look at."""
