"""The loyalty service: counts the points that shoppers earn by paying."""
