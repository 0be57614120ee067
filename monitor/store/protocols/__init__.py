"""The parts of the ``Store`` protocol."""
