"""What ends a tool early: a message and the exit code of the command line's contract."""

USAGE, BAD_DATA, NO_INPUT, CANNOT_WRITE = 64, 65, 66, 74


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
