package souk.flink.avro;

import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import souk.flink.common.RejectedException;

/**
 * Rejects events whose time is too far ahead of this machine's clock. Such an event would advance the watermark, and
 * with it every figure's {@code as_of}, to a time that no other event has reached.
 *
 * @param column the column of the event time
 * @param position the column's position in the row
 * @param maxAheadMs how far ahead of this machine's clock an event may be
 */
record EventTimeLimit(String column, int position, long maxAheadMs) implements Serializable {

    /** Throws a ValidationException if the column does not exist or is not a timestamp. */
    static EventTimeLimit of(RowType rowType, String column, Duration maxAhead) {
        int position = rowType.getFieldIndex(column);
        if (position < 0) {
            throw new ValidationException("souk-avro: 'event-time' names " + column + ", which is not a column");
        }
        var type = rowType.getTypeAt(position);
        if (!(type instanceof TimestampType || type instanceof LocalZonedTimestampType) || type.isNullable()) {
            throw new ValidationException(
                    "souk-avro: 'event-time' must be a timestamp that is NOT NULL, not " + type.asSummaryString());
        }
        return new EventTimeLimit(column, position, maxAhead.toMillis());
    }

    void check(RowData row, long nowMs) throws RejectedException {
        long at = row.getTimestamp(position, 3).getMillisecond();
        if (at > nowMs && at - nowMs > maxAheadMs) {
            throw new RejectedException(column + " is in the future: " + Instant.ofEpochMilli(at) + " is more than "
                    + Duration.ofMillis(maxAheadMs) + " ahead of now, " + Instant.ofEpochMilli(nowMs));
        }
    }
}
