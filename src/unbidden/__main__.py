"""`python -m unbidden` is the command `unbidden`."""

from unbidden.cli import main

main()
