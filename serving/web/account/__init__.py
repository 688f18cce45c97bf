"""The pages of people: signing in, their account, the demo's sessions, and the local mailbox."""
