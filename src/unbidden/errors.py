"""What can go wrong, said so that the reader knows what, where and what to do."""


class UnbiddenError(Exception):
    """An error that a user can act on; its text is the whole message, and it ends the run with exit code 2."""


class UnusableInputError(UnbiddenError):
    """No input of a call could be used."""


class ContentError(UnbiddenError):
    """A content file (detection, provider, parameter list) is wrong; the text names the file and the place."""
