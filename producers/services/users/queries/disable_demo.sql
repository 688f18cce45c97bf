UPDATE demo SET enabled = false;
