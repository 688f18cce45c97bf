INSERT INTO settings (name, version) VALUES ($1::text, 0) ON CONFLICT (name) DO NOTHING;
