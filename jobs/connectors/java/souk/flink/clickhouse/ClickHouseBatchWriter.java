package souk.flink.clickhouse;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;
import souk.flink.common.RejectedException;
import souk.flink.common.BatchWriter;
import souk.flink.common.RetryableException;

/**
 * Inserts rows into one ClickHouse table by column name. The header of the format RowBinaryWithNamesAndTypes has the types
 * from when the job started, so that ClickHouse refuses rows after a column has changed instead of reading them wrongly.
 */
final class ClickHouseBatchWriter implements BatchWriter {
    private static final String COLUMNS =
            "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}"
                    + " AND default_kind NOT IN ('MATERIALIZED', 'ALIAS', 'EPHEMERAL')"
                    + " ORDER BY position FORMAT TabSeparatedRaw";

    /** The destination of the rows. {@code versionColumn}, {@code deletedColumn} and {@code progressTable} may be null. */
    record Config(
            ClickHouseClient.Config server, String table, RowType rowType, String versionColumn,
            String deletedColumn, String progressTable)
            implements Serializable {}

    private final Config config;
    private final TableProgress progress;
    private final ClickHouseClient client;
    private final RowBinaryBuffer buffer = new RowBinaryBuffer();
    private final VersionGenerator versions = new VersionGenerator();
    private final RowData.FieldGetter[] getters;
    private final ColumnEncoder[] encoders;
    private final List<String> names;
    private final String insert;
    private Map<String, String> columns;
    private byte[] header;

    ClickHouseBatchWriter(Config config, int subtask, int parallelism) {
        this.config = config;
        this.client = new ClickHouseClient(config.server);
        this.progress = config.progressTable == null
                ? null
                : new TableProgress(
                        ProgressReporter.of(config.server, name(config.progressTable)), config.table, subtask, parallelism);
        this.getters = new RowData.FieldGetter[config.rowType.getFieldCount()];
        this.encoders = new ColumnEncoder[getters.length];
        for (int i = 0; i < getters.length; i++) {
            getters[i] = RowData.createFieldGetter(config.rowType.getTypeAt(i), i);
        }
        names = new ArrayList<>(config.rowType.getFieldNames());
        if (config.versionColumn != null) {
            names.add(config.versionColumn);
        }
        if (config.deletedColumn != null) {
            names.add(config.deletedColumn);
        }
        this.insert = "INSERT INTO " + name(config.table)
                + names.stream().map(ClickHouseBatchWriter::quote).collect(Collectors.joining(", ", " (", ")"))
                + " FORMAT RowBinaryWithNamesAndTypes";
    }

    @Override
    public void open() throws RetryableException, InterruptedException {
        columns = readColumns();
        if (columns.isEmpty()) {
            throw new IllegalStateException("ClickHouse has no table " + name(config.table) + " that user "
                    + config.server.username() + " can read: run the migrations");
        }
        for (int i = 0; i < encoders.length; i++) {
            String column = config.rowType.getFieldNames().get(i);
            encoders[i] = ColumnEncoders.of(config.rowType.getTypeAt(i), type(column), column);
        }
        if (config.deletedColumn != null) {
            require(config.deletedColumn, "UInt8");
        }
        if (config.versionColumn != null) {
            require(config.versionColumn, "UInt64");
            versions.startAbove(Long.parseLong(client.query(
                    "SELECT max(" + quote(config.versionColumn) + ") FROM " + name(config.table)
                            + " FORMAT TabSeparatedRaw", Map.of()).strip()));
        }
        header = header();
        if (progress != null) {
            progress.open();
        }
    }

    private byte[] header() {
        buffer.reset();
        buffer.length(names.size());
        names.forEach(name -> buffer.string(name.getBytes(StandardCharsets.UTF_8)));
        names.forEach(name -> buffer.string(columns.get(name).getBytes(StandardCharsets.UTF_8)));
        return Arrays.copyOf(buffer.array(), buffer.size());
    }

    @Override
    public void write(List<? extends RowData> rows) throws RetryableException, RejectedException, InterruptedException {
        buffer.reset();
        buffer.raw(header);
        for (RowData row : rows) {
            encode(row);
        }
        try {
            client.insert(insert, buffer.array(), buffer.size());
        } catch (RejectedException rejected) {
            if (!readColumns().equals(columns)) {
                throw new IllegalStateException("the columns of " + name(config.table)
                        + " have changed since the job started: " + rejected.getMessage(), rejected);
            }
            throw rejected;
        }
    }

    private void encode(RowData row) throws RejectedException {
        for (int i = 0; i < encoders.length; i++) {
            encoders[i].write(getters[i].getFieldOrNull(row), buffer);
        }
        if (config.versionColumn != null) {
            buffer.int64(versions.next());
        }
        if (config.deletedColumn != null) {
            buffer.int8(row.getRowKind() == RowKind.DELETE ? 1 : 0);
        }
    }

    @Override
    public void reportProgress(long watermark, boolean wait) throws RetryableException, InterruptedException {
        if (wait) {
            progress.report(watermark);
        } else {
            progress.advance(watermark);
        }
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
    }

    private Map<String, String> readColumns() throws RetryableException, InterruptedException {
        String answer = client.query(COLUMNS, Map.of("database", config.server.database(), "table", config.table));
        return answer.lines()
                .map(line -> line.split("\t", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> a, LinkedHashMap::new));
    }

    private ColumnType type(String column) {
        String type = columns.get(column);
        if (type == null) {
            throw new IllegalStateException("ClickHouse's table " + name(config.table) + " has no column " + column
                    + " that can be written; it has " + String.join(", ", columns.keySet()));
        }
        return ColumnType.parse(type);
    }

    private void require(String column, String type) {
        ColumnType found = type(column);
        if (!found.equals(ColumnType.parse(type))) {
            throw new IllegalStateException("column " + column + " of " + name(config.table) + " must be " + type);
        }
    }

    private String name(String table) {
        return quote(config.server.database()) + "." + quote(table);
    }

    private static String quote(String identifier) {
        return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`";
    }
}
