"""Every error a user can act on; programs read `code` and `fields`, people read the sentence."""


class CodesignError(Exception):
    """Base of all expected failures.

    `message` is one sentence that says where, what must hold, what was found and what would
    fix it; `fields` holds the same facts for a program. The command line prints the sentence and
    exits with `exit_code`, without a traceback.
    """

    exit_code = 2

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields

    @property
    def code(self) -> str:
        """Stable name of the kind of error, for `--json`."""
        return type(self).__name__


class BadInput(CodesignError):
    """A file, option or value from the user is not what it must be."""


class UnsupportedLayer(CodesignError):
    """A node of the network has no exact hardware form; names the node and what to change."""


class IllegalFold(CodesignError):
    """A folding breaks a rule of its block; names the nearest legal values."""


class InvariantBroken(CodesignError):
    """A graph or design violates one of its own laws: our mistake, or a hand-edited file."""


class DoesNotFit(CodesignError):
    """Nothing fits the board; the sentence names the binding resource, the gap and the levers."""

    exit_code = 3


class Deadlock(CodesignError):
    """The machine stops for ever; names the cycle of waiting streams and the depth that frees it."""

    exit_code = 4


class ToolMissing(CodesignError):
    """An optional tool is not installed; says how to install it."""


class RtlMismatch(CodesignError):
    """Hardware and model differ; names block, channel, beat, cycle, expected and found."""

    exit_code = 5


class Diverged(CodesignError):
    """Training met a loss that is no number; names the step and layer, the checkpoint is kept."""

    exit_code = 6


class Interrupted(CodesignError):
    """The user stopped the run; names the checkpoint and how to continue from it."""

    exit_code = 130


def reason(error: BaseException) -> str:
    """The first line of what a library's exception says, or its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
