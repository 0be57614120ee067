"""The news monitor."""
