"""What we look for: the rule language, its files, the matcher, and trying rules out."""
