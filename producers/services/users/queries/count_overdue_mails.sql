SELECT count(*)::integer FROM recommendation_mails WHERE send_at < $1::timestamptz;
