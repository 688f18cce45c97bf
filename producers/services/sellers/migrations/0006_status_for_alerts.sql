-- Returns whether a seller may sell now. The service alerts calls it, which does nothing for other sellers.
CREATE FUNCTION is_approved(of_seller_id text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sellers, pg_temp AS $$
    SELECT EXISTS (SELECT FROM sellers.sellers WHERE seller_id = of_seller_id AND status = 'approved');
$$;

REVOKE ALL ON FUNCTION is_approved (text) FROM PUBLIC;
