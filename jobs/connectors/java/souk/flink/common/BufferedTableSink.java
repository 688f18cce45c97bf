package souk.flink.common;

import java.util.stream.IntStream;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkV2Provider;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/** The planner's view of both sinks: append without a primary key, upsert with one. */
public final class BufferedTableSink implements DynamicTableSink {
    private final String name;
    private final RowType rowType;
    private final int[] key;
    private final DeletePolicy deletes;
    private final BufferedSink sink;
    private final Integer parallelism;

    private BufferedTableSink(
            String name, RowType rowType, int[] key, DeletePolicy deletes, BufferedSink sink, Integer parallelism) {
        this.name = name;
        this.rowType = rowType;
        this.key = key;
        this.deletes = deletes;
        this.sink = sink;
        this.parallelism = parallelism;
    }

    /**
     * Returns a sink of the table that {@code options} describe.
     *
     * @param table the store's table; it gives the dead-letter topic its default name
     * @param stage the stage in the headers of dead letters
     * @param deletes how to treat deletions
     * @param tracksProgress whether to report watermarks to the writer
     */
    public static BufferedTableSink of(
            ReadableConfig options, ResolvedSchema schema, String table, String stage,
            DeletePolicy deletes, boolean tracksProgress, BatchWriter.Factory writers) {
        var rowType = (RowType) schema.toSinkRowDataType().getLogicalType();
        int[] key = key(schema, rowType);
        var sink = new BufferedSink(
                rowType, key, SinkOptions.flush(options), SinkOptions.backoff(options),
                SinkOptions.deadLetters(options, table, stage), deletes,
                tracksProgress, writers);
        Integer parallelism = options.getOptional(FactoryUtil.SINK_PARALLELISM).orElse(null);
        return new BufferedTableSink("souk-" + stage, rowType, key, deletes, sink, parallelism);
    }

    /** Returns the positions of the primary key's columns in the sink's rows; empty without a primary key. */
    public static int[] key(ResolvedSchema schema, RowType rowType) {
        return schema.getPrimaryKey()
                .map(constraint -> constraint.getColumns().stream().mapToInt(rowType::getFieldIndex).toArray())
                .orElseGet(() -> IntStream.empty().toArray());
    }

    @Override
    public ChangelogMode getChangelogMode(ChangelogMode requested) {
        if (key.length == 0) {
            return ChangelogMode.insertOnly();
        }
        if (requested.contains(RowKind.DELETE) && deletes == DeletePolicy.REJECT) {
            throw new ValidationException(
                    "a query into this " + name + " table deletes rows: set 'sink.deleted-column' or "
                            + "'sink.ignore-deletes', or write a query that only inserts and updates");
        }
        var mode = ChangelogMode.newBuilder().addContainedKind(RowKind.INSERT).addContainedKind(RowKind.UPDATE_AFTER);
        if (deletes != DeletePolicy.REJECT) {
            mode.addContainedKind(RowKind.DELETE);
        }
        return mode.build();
    }

    @Override
    public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
        return SinkV2Provider.of(sink, parallelism);
    }

    @Override
    public DynamicTableSink copy() {
        return new BufferedTableSink(name, rowType, key, deletes, sink, parallelism);
    }

    @Override
    public String asSummaryString() {
        return name;
    }
}
