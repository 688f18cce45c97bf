"""Reads each store into Arrow tables, with nothing added up that the store itself did not add up."""
