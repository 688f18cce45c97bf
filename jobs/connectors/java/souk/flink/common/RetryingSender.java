package souk.flink.common;

import java.util.List;
import org.apache.flink.table.data.RowData;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends batches to a store. It retries a failed request without limit. It halves a rejected batch until each rejected
 * row is in its own batch, and sends the rejected rows to the dead-letter topic.
 */
final class RetryingSender implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RetryingSender.class);

    private final BatchWriter writer;
    private final Backoff backoff;
    private final RowDeadLetterProducer deadLetters;
    private final SinkMetrics metrics;

    RetryingSender(BatchWriter writer, Backoff backoff, RowDeadLetterProducer deadLetters, SinkMetrics metrics) {
        this.writer = writer;
        this.backoff = backoff;
        this.deadLetters = deadLetters;
        this.metrics = metrics;
    }

    void open() throws InterruptedException {
        try {
            retry(writer::open);
        } catch (RejectedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Returns when the store or the dead-letter topic has acknowledged every row. */
    void send(List<? extends RowData> rows) throws InterruptedException {
        long start = System.nanoTime();
        try {
            retry(() -> writer.write(rows));
            metrics.written(rows.size(), (System.nanoTime() - start) / 1_000_000);
        } catch (RejectedException rejected) {
            if (rows.size() == 1) {
                metrics.rejected();
                deadLetters.send(rows.get(0), rejected.getMessage());
            } else {
                int half = rows.size() / 2;
                send(rows.subList(0, half));
                send(rows.subList(half, rows.size()));
            }
        }
    }

    void reportProgress(long watermark, boolean wait) throws InterruptedException {
        try {
            retry(() -> writer.reportProgress(watermark, wait));
        } catch (RejectedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private interface Attempt {
        void run() throws RetryableException, RejectedException, InterruptedException;
    }

    private void retry(Attempt attempt) throws RejectedException, InterruptedException {
        for (int number = 1; ; number++) {
            try {
                attempt.run();
                return;
            } catch (RetryableException failure) {
                metrics.retries.inc();
                if (Backoff.worthLogging(number)) {
                    LOG.warn("retry {}: {}", number, failure.getMessage());
                }
                backoff.pause(number);
            }
        }
    }

    @Override
    public void close() {
        writer.close();
        deadLetters.close();
    }
}
