"""The order of the steps.  ``poll`` and ``deliver`` are the two loops; both claim, act, commit.

poll       claim → fetch → parse → normalise → [known → decide → commit]
deliver    claim → hold or render → freeze → send → finish
reload     files → rules and config in force, swapped whole
upkeep     feeds that broke or came back (``feed_reports``), deliveries too old, the first message
           of a channel
"""
