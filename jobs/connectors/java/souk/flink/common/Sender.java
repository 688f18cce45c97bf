package souk.flink.common;

import java.util.List;
import org.apache.flink.table.data.RowData;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets rows to a target, whatever it takes: what is unavailable is tried again for ever, what is refused is halved
 * until the refused rows stand alone, and those are dead-lettered.
 */
final class Sender implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sender.class);

    private final Target target;
    private final Backoff backoff;
    private final RowLetters letters;
    private final SinkMetrics metrics;

    Sender(Target target, Backoff backoff, RowLetters letters, SinkMetrics metrics) {
        this.target = target;
        this.backoff = backoff;
        this.letters = letters;
        this.metrics = metrics;
    }

    void open() throws InterruptedException {
        try {
            untilAvailable(target::open);
        } catch (Refused impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Returns when every row is acknowledged, by the target or by the dead-letter topic. */
    void send(List<? extends RowData> rows) throws InterruptedException {
        long start = System.nanoTime();
        try {
            untilAvailable(() -> target.write(rows));
            metrics.written(rows.size(), (System.nanoTime() - start) / 1_000_000);
        } catch (Refused refused) {
            if (rows.size() == 1) {
                metrics.refused();
                letters.send(rows.get(0), refused.getMessage());
            } else {
                int half = rows.size() / 2;
                send(rows.subList(0, half));
                send(rows.subList(half, rows.size()));
            }
        }
    }

    void progress(long watermark, boolean now) throws InterruptedException {
        try {
            untilAvailable(() -> target.progress(watermark, now));
        } catch (Refused impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private interface Attempt {
        void run() throws Unavailable, Refused, InterruptedException;
    }

    private void untilAvailable(Attempt attempt) throws Refused, InterruptedException {
        for (int retry = 1; ; retry++) {
            try {
                attempt.run();
                return;
            } catch (Unavailable unavailable) {
                metrics.retries.inc();
                if (Backoff.worthLogging(retry)) {
                    LOG.warn("retry {}: {}", retry, unavailable.getMessage());
                }
                backoff.pause(retry);
            }
        }
    }

    @Override
    public void close() {
        target.close();
        letters.close();
    }
}
