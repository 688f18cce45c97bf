package souk.flink.common;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** The runtime sink: everything that a subtask needs to make its writer. */
record BufferedSink(
        RowType rowType, int[] key, SinkOptions.Flush flush, Backoff backoff, DeadLetters.Config deadLetters,
        Deletes deletes, boolean tracksProgress, Target.Factory target)
        implements Sink<RowData>, SupportsWriterState<RowData, Long> {

    @Override
    public SinkWriter<RowData> createWriter(WriterInitContext context) throws IOException {
        return restoreWriter(context, List.of());
    }

    /** A writer that begins by taking back what was said of rows that it will write again. */
    @Override
    public StatefulSinkWriter<RowData, Long> restoreWriter(WriterInitContext context, Collection<Long> watermarks)
            throws IOException {
        var task = context.getTaskInfo();
        var metrics = new SinkMetrics(context.metricGroup());
        var sender = new Sender(
                target.create(task.getIndexOfThisSubtask(), task.getNumberOfParallelSubtasks()), backoff,
                new RowLetters(rowType, key, new DeadLetters(deadLetters)), metrics);
        long reached = watermarks.stream().mapToLong(Long::longValue).min().orElse(Long.MIN_VALUE);
        try {
            sender.open();
            if (reached > Long.MIN_VALUE) {
                sender.progress(reached, true);
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IOException("cancelled while waiting for " + deadLetters.stage(), cancelled);
        }
        return new BufferedWriter(this, sender, context.getProcessingTimeService(), metrics, reached);
    }

    @Override
    public SimpleVersionedSerializer<Long> getWriterStateSerializer() {
        return new WatermarkSerializer();
    }
}
