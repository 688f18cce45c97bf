package souk.flink.common;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/** The metrics of a sink's subtask, in the group {@code souk}. */
final class SinkMetrics {
    final Counter rowsWritten;
    final Counter batches;
    final Counter rowsRefused;
    final Counter retries;
    final Histogram flushMillis;
    /** Rows in the buffer that is filling. */
    volatile int rowsBuffered;

    private volatile long lastFlushMillis;
    private final SinkWriterMetricGroup flink;

    SinkMetrics(SinkWriterMetricGroup flink) {
        this.flink = flink;
        var group = flink.addGroup("souk");
        rowsWritten = group.counter("rowsWritten");
        batches = group.counter("batches");
        rowsRefused = group.counter("rowsRefused");
        retries = group.counter("retries");
        flushMillis = group.histogram("flushMillis", new DescriptiveStatisticsHistogram(500));
        group.gauge("rowsBuffered", () -> rowsBuffered);
        flink.setCurrentSendTimeGauge(() -> lastFlushMillis);
    }

    void written(int rows, long millis) {
        rowsWritten.inc(rows);
        batches.inc();
        flushMillis.update(millis);
        flink.getNumRecordsSendCounter().inc(rows);
        lastFlushMillis = millis;
    }

    void rejected() {
        rowsRefused.inc();
        flink.getNumRecordsSendErrorsCounter().inc();
    }
}
