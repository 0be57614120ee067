"""What comes in: fetch, parse, normalise, schedule."""
