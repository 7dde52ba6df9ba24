"""`python -m carbonnas`."""

from carbonnas.cli.app import main

main()
