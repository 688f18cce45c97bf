-- True if nothing was taken for the order, and nothing will be. The function's migration explains it.
SELECT close_unpaid($1::uuid, $2::uuid);
