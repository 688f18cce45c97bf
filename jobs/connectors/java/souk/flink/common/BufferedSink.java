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

/** The sink at run time, with everything that a subtask needs to create its writer. */
record BufferedSink(
        RowType rowType, int[] key, Flush flush, Backoff backoff, DeadLetterProducer.Config deadLetters,
        DeletePolicy deletes, boolean tracksProgress, BatchWriter.Factory writers)
        implements Sink<RowData>, SupportsWriterState<RowData, Long> {

    @Override
    public SinkWriter<RowData> createWriter(WriterInitContext context) throws IOException {
        return restoreWriter(context, List.of());
    }

    /** Returns a writer. Reports the restored watermark first, because rows after that watermark will be written again. */
    @Override
    public StatefulSinkWriter<RowData, Long> restoreWriter(WriterInitContext context, Collection<Long> watermarks)
            throws IOException {
        var task = context.getTaskInfo();
        var metrics = new SinkMetrics(context.metricGroup());
        var sender = new RetryingSender(
                writers.create(task.getIndexOfThisSubtask(), task.getNumberOfParallelSubtasks()), backoff,
                new RowDeadLetterProducer(rowType, key, new DeadLetterProducer(deadLetters)), metrics);
        long reached = watermarks.stream().mapToLong(Long::longValue).min().orElse(Long.MIN_VALUE);
        try {
            sender.open();
            if (reached > Long.MIN_VALUE) {
                sender.reportProgress(reached, true);
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IOException("cancelled while waiting for " + deadLetters.stage(), cancelled);
        }
        return new BufferedSinkWriter(this, sender, context.getProcessingTimeService(), metrics, reached);
    }

    @Override
    public SimpleVersionedSerializer<Long> getWriterStateSerializer() {
        return new WatermarkSerializer();
    }
}
