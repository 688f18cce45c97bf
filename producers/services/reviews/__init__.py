"""Reviews of what was delivered: their moderation, replies, votes and reports."""
