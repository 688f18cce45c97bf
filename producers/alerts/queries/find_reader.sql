SELECT find_reader($1::text, $2::text);
