SELECT seller_id FROM sellers WHERE status = 'suspended' ORDER BY seller_id;
