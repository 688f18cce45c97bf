"""What orders the candidates of several models: what is held out, features, and a learned order."""
