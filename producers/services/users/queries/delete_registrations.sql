DELETE FROM registrations WHERE email = $1::text;
