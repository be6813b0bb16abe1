"""Views: what the console and the API show, read from the desk, the lake and the running server. They change nothing."""

from unbidden.views.surroundings import Surroundings

__all__ = ["Surroundings"]
