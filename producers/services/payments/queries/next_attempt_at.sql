SELECT least((SELECT min(try_at) FROM payments), (SELECT min(try_at) FROM refunds));
