package souk.flink.clickhouse;

import java.util.List;
import souk.flink.common.Unavailable;

/** How far one subtask's rows in one table reach, and how far the progress table has been told. */
final class Progress implements AutoCloseable {
    private final ProgressBoard board;
    private final String table;
    private final int subtask;
    private final int parallelism;
    private volatile long reached = Long.MIN_VALUE;
    private volatile long told = Long.MIN_VALUE;

    Progress(ProgressBoard board, String table, int subtask, int parallelism) {
        this.board = board;
        this.table = table;
        this.subtask = subtask;
        this.parallelism = parallelism;
    }

    void open() throws Unavailable, InterruptedException {
        board.join(this);
    }

    /** Leaves it to the board to tell, soon. */
    void reach(long watermark) {
        board.check();
        reached = watermark;
    }

    /** Returns when it is told. */
    void tell(long watermark) throws Unavailable, InterruptedException {
        reach(watermark);
        board.writeNow(List.of(this));
    }

    void told(long watermark) {
        told = watermark;
    }

    boolean moved() {
        return reached != told;
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
        board.leave(this);
    }
}
