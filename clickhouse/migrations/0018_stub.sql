-- Stand-in of a migration of another branch.

SELECT 1;
