-- Every change of a seller locks its row first, so that changes of one seller run one after the other.
SELECT applications.seller_id, applicant_id, applications.status, sellers.status AS seller_status
FROM applications
JOIN sellers USING (seller_id)
WHERE application_id = $1::uuid
FOR UPDATE OF sellers;
