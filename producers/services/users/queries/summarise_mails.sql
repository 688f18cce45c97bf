SELECT kind, count(*)::integer AS mails, max(created_at) AS newest_at FROM mails
WHERE created_at >= $1::timestamptz
GROUP BY kind
ORDER BY kind;
