"""How our databases are known, and which tables they have: enough to refuse others quickly."""

APPLICATION_ID = 0x6E6D6F6E  # "nmon": how we know our own files
VERSION = 9  # of the tables; ``schema`` has the steps to it
