"""How the desk's tables came to be, step by step. Run by `upgrade`; the order is in the files' `down_revision`."""
