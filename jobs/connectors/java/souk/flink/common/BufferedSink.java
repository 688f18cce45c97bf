package souk.flink.common;

import java.io.IOException;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** The runtime sink: everything that a subtask needs to make its writer. */
record BufferedSink(
        RowType rowType, int[] key, SinkOptions.Flush flush, Backoff backoff, DeadLetters.Config deadLetters,
        Deletes deletes, boolean tracksProgress, Target.Factory target)
        implements Sink<RowData> {

    @Override
    public SinkWriter<RowData> createWriter(WriterInitContext context) throws IOException {
        var task = context.getTaskInfo();
        var metrics = new SinkMetrics(context.metricGroup());
        var sender = new Sender(
                target.create(task.getIndexOfThisSubtask(), task.getNumberOfParallelSubtasks()), backoff,
                new RowLetters(rowType, key, new DeadLetters(deadLetters)), metrics);
        try {
            sender.open();
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IOException("cancelled while waiting for " + deadLetters.stage(), cancelled);
        }
        return new BufferedWriter(this, sender, context.getProcessingTimeService(), metrics);
    }
}
