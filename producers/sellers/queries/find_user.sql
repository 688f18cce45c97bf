SELECT find_user($1::text);
