"""``python -m bench`` is ``stripelab``: for places where no script is installed."""

from bench.cli.main import main

main()
