SELECT kind, id, seller_id, name, created_at, is_enabled FROM alerts.find_subscriptions($1::uuid);
