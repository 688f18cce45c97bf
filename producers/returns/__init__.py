"""The rules of returns that orders, inventory and payments share, so that all three decide alike."""
