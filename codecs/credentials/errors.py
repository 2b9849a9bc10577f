"""What is wrong with a credential."""


class CredentialError(ValueError):
    """The bytes are not what they claim to be; the text says why, and names nothing secret."""
