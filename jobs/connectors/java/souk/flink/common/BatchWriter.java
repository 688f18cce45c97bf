package souk.flink.common;

import java.io.Serializable;
import java.util.List;
import org.apache.flink.table.data.RowData;

/**
 * Writes the rows of one subtask to a store. It is used by one thread at a time. It throws an unchecked exception, which
 * fails the job, for an error of the whole table: every other row would fail too.
 */
public interface BatchWriter extends AutoCloseable {

    /** Connects, and checks that the store can take this table's rows. */
    void open() throws RetryableException, InterruptedException;

    /**
     * Writes all rows in order; returns when the store has acknowledged them. Rows may be written again after any
     * exception.
     *
     * @throws RejectedException at least one of the rows can never be written
     */
    void write(List<? extends RowData> rows) throws RetryableException, RejectedException, InterruptedException;

    /**
     * Reports that every row up to {@code watermark} (Unix milliseconds) is written. With {@code wait} it returns when the
     * store has acknowledged the report.
     */
    default void reportProgress(long watermark, boolean wait) throws RetryableException, InterruptedException {}

    @Override
    void close();

    /** Creates a subtask's writer in the process in which the subtask runs. */
    interface Factory extends Serializable {
        BatchWriter create(int subtask, int parallelism);
    }
}
