"""Runs the SQL of sellers in processes that hold nothing but the rows of one seller."""
