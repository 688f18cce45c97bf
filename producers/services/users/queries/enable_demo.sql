UPDATE demo SET enabled = true;
