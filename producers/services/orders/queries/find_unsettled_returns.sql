SELECT DISTINCT return_id FROM unsettled_returns;
