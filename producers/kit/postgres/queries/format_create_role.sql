SELECT format('CREATE ROLE %I', $1::text);
