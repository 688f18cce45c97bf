SELECT enabled AND NOT EXISTS (SELECT FROM people WHERE NOT is_demo) FROM demo;
