SELECT lock_maker($1::uuid);
