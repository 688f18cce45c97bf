UPDATE payments SET method = paid.method, installments = paid.installments
FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS paid (order_id, method, installments)
WHERE payments.order_id = paid.order_id;
