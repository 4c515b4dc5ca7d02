"""`python -m codesign` is `codesign`."""

import sys

from codesign.cli import main

sys.exit(main())
