package souk.flink.clickhouse;

import java.util.List;
import souk.flink.common.RetryableException;

/** The watermark up to which one subtask's rows are in their table, and the watermark that was last reported. */
final class TableProgress implements AutoCloseable {
    private final ProgressReporter reporter;
    private final String table;
    private final int subtask;
    private final int parallelism;
    private volatile long reached = Long.MIN_VALUE;
    private volatile long reported = Long.MIN_VALUE;

    TableProgress(ProgressReporter reporter, String table, int subtask, int parallelism) {
        this.reporter = reporter;
        this.table = table;
        this.subtask = subtask;
        this.parallelism = parallelism;
    }

    void open() throws RetryableException, InterruptedException {
        reporter.register(this);
    }

    /** Sets the watermark, which the reporter's next periodic insert writes. */
    void advance(long watermark) {
        reporter.throwIfFailed();
        reached = watermark;
    }

    /** Sets the watermark, and returns when ClickHouse has acknowledged it. */
    void report(long watermark) throws RetryableException, InterruptedException {
        advance(watermark);
        reporter.write(List.of(this));
    }

    void reported(long watermark) {
        reported = watermark;
    }

    boolean hasAdvanced() {
        return reached != reported;
    }

    long reached() {
        return reached;
    }

    String table() {
        return table;
    }

    int subtask() {
        return subtask;
    }

    int parallelism() {
        return parallelism;
    }

    @Override
    public void close() {
        reporter.unregister(this);
    }
}
