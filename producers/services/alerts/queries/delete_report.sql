DELETE FROM reports WHERE report_id = $1::uuid;
