"""The gateway: who sends a request, what it may do, and how much of it. Every request passes through."""
