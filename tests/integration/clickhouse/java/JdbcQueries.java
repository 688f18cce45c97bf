import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads and writes the table `jdbc` through the official driver: `JdbcQueries URL USER PASSWORD`. */
public final class JdbcQueries {
    private static final Pattern NAME = Pattern.compile("\\(([A-Z_]{5,})\\)");

    private JdbcQueries() {}

    public static void main(String[] args) throws SQLException {
        try (Connection connection = DriverManager.getConnection(args[0], args[1], args[2])) {
            describe(connection);
            parameters(connection);
            manyRows(connection);
            orError(() -> query(connection, "SELECT * FROM nope"));
            orError(() -> write(connection));
        }
    }

    private static void describe(Connection connection) throws SQLException {
        var about = connection.getMetaData();
        System.out.println(about.getDatabaseProductName() + " " + about.getDatabaseProductVersion());
        List<String> names = new ArrayList<>();
        try (ResultSet columns = about.getColumns(null, "souk", "jdbc", null)) {
            while (columns.next()) names.add(columns.getString("COLUMN_NAME"));
        }
        System.out.println("columns " + names);
    }

    private static void parameters(Connection connection) throws SQLException {
        String query = "SELECT number AS n, concat(?, toString(number)) AS s, "
                + "toDateTime64('2018-01-02 03:04:05.678', 3, 'UTC') AS at FROM numbers(?)";
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setString(1, "it's ");
            statement.setInt(2, 2);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    var at = rows.getTimestamp("at").toInstant();
                    System.out.println(rows.getLong("n") + " " + rows.getString("s") + " " + at);
                }
            }
        }
    }

    private static void manyRows(Connection connection) throws SQLException {
        long sum = 0;
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT number, toString(number) FROM numbers(300000)")) {
            while (rows.next()) sum += rows.getLong(1);
        }
        System.out.println("sum " + sum);
    }

    private static void query(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery(query).close();
        }
    }

    private static void write(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO jdbc (a, b) VALUES (?, ?)")) {
            for (int n = 0; n < 1000; n++) {
                insert.setInt(1, n);
                insert.setString(2, "b'" + n);
                insert.addBatch();
            }
            insert.executeBatch();
        }
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT count(), sum(a) FROM jdbc")) {
            rows.next();
            System.out.println("inserted " + rows.getLong(1) + " " + rows.getLong(2));
        }
    }

    private interface Work {
        void run() throws SQLException;
    }

    private static void orError(Work work) {
        try {
            work.run();
        } catch (SQLException error) {
            Matcher name = NAME.matcher(String.valueOf(error.getMessage()));
            System.out.println("error " + (name.find() ? name.group(1) : error.toString()));
        }
    }
}
