package souk.flink.avro;

import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import souk.flink.common.Refused;

/**
 * How far an event's time may be ahead of this machine's clock: one from a wrong clock would carry the watermark, and
 * every figure's {@code as_of}, into a future that nothing has reached.
 *
 * @param column the event time's column
 * @param position where it is in the row
 * @param maxAheadMs how far ahead of now an event is still believed
 */
record Horizon(String column, int position, long maxAheadMs) implements Serializable {

    /** Fails the planning where the column does not exist or holds no milliseconds. */
    static Horizon of(RowType rowType, String column, Duration maxAhead) {
        int position = rowType.getFieldIndex(column);
        if (position < 0) {
            throw new ValidationException("souk-avro: 'event-time' names " + column + ", which is no column");
        }
        var type = rowType.getTypeAt(position);
        if (!(type instanceof TimestampType || type instanceof LocalZonedTimestampType) || type.isNullable()) {
            throw new ValidationException(
                    "souk-avro: 'event-time' must be a timestamp that is NOT NULL, not " + type.asSummaryString());
        }
        return new Horizon(column, position, maxAhead.toMillis());
    }

    void check(RowData row, long nowMs) throws Refused {
        long at = row.getTimestamp(position, 3).getMillisecond();
        if (at > nowMs && at - nowMs > maxAheadMs) {
            throw new Refused(column + " is in the future: " + Instant.ofEpochMilli(at) + " is more than "
                    + Duration.ofMillis(maxAheadMs) + " ahead of now, " + Instant.ofEpochMilli(nowMs));
        }
    }
}
