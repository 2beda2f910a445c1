"""Entry point of `python -m lab COMMAND`."""

import sys

from lab.command_line import main

sys.exit(main())
