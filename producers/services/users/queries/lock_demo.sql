-- A demo session and the first real person wait for each other, so that the session does not begin beside the person.
SELECT enabled FROM demo FOR UPDATE;
