"""What a recommender does besides being right: who is shown, how much of the catalogue, how varied. Pure."""
