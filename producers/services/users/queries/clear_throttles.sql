DELETE FROM throttles WHERE subject = ANY ($1::bytea[]);
