"""What can go wrong at the desk beside the errors of tickets themselves."""


class BadForm(ValueError):
    """A form that cannot be meant; the sentence says what is missing."""


class NotAnAgent(Exception):
    """A ticket can be given only to somebody who works at the desk."""


class NoSuchView(LookupError):
    """There is no such view, or it is somebody else's."""


class TooManyViews(Exception):
    """An agent keeps more views than anybody can tell apart."""
