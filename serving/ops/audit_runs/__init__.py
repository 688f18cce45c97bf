"""The audits that compared the stores: their figures, results and differences."""
