"""One story, told once: which entries carry the same text, and which tell the same event.

``urls`` makes the key under which two addresses are one page; ``sketch`` compares texts;
``features`` turns an entry into weighted words; ``group`` decides; ``index`` remembers the last
days, compactly, and is advanced only after commit.  All of it is pure given that index.
"""
