package souk.flink.common;

import java.io.Serializable;
import java.util.List;
import org.apache.flink.table.data.RowData;

/**
 * Where the rows of one subtask go. Used by one thread at a time. A method that throws an unchecked exception
 * fails the job: the fault is of the whole table, and no other row would fare better.
 */
public interface Target extends AutoCloseable {

    /** Checks that the other side can take this table's rows. */
    void open() throws Unavailable, InterruptedException;

    /**
     * Writes all rows, in order; returning means that they are acknowledged. Rows may be written again after any
     * exception.
     *
     * @throws Refused at least one of the rows can never be written
     */
    void write(List<? extends RowData> rows) throws Unavailable, Refused, InterruptedException;

    /**
     * Says that every row up to {@code watermark} (Unix milliseconds) is written; returns when whoever asks hears it,
     * or, unless {@code now}, before.
     */
    default void progress(long watermark, boolean now) throws Unavailable, InterruptedException {}

    @Override
    void close();

    /** Makes a subtask's target where the subtask runs. */
    interface Factory extends Serializable {
        Target create(int subtask, int parallelism);
    }
}
