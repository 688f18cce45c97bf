package souk.flink.clickhouse;

import java.time.LocalDate;
import java.time.ZoneOffset;
import org.apache.flink.table.data.TimestampData;
import souk.flink.common.RejectedException;

/** Encoders of dates and times. They reject values outside ClickHouse's ranges, which it would store as other times. */
final class TimeEncoders {
    private static final long FIRST_DAY = LocalDate.of(1900, 1, 1).toEpochDay();
    private static final long LAST_DAY = LocalDate.of(2299, 12, 31).toEpochDay();
    private static final long FIRST_MILLI = LocalDate.of(1900, 1, 1).atStartOfDay().toEpochSecond(ZoneOffset.UTC) * 1000;
    private static final long END_MILLI = LocalDate.of(2300, 1, 1).atStartOfDay().toEpochSecond(ZoneOffset.UTC) * 1000;
    /** The last millisecond that 64 bits of nanoseconds can hold. */
    private static final long LAST_NANO_MILLI = Long.MAX_VALUE / 1_000_000 - 1;

    private TimeEncoders() {}

    /** Returns an encoder of Flink's days since 1970; null if {@code name} is not a date type. */
    static ColumnEncoder date(String name, String path) {
        return switch (name) {
            case "Date" -> (value, out) -> out.int16((int) within((Integer) value, 0, 65_535, name, path));
            case "Date32" -> (value, out) ->
                    out.int32((int) within((Integer) value, FIRST_DAY, LAST_DAY, name, path));
            default -> null;
        };
    }

    /** Returns an encoder of {@link TimestampData}; null if {@code to} is not a time type. Digits beyond the precision are cut off. */
    static ColumnEncoder timestamp(ColumnType to, String path) {
        String name = to.name();
        if (name.equals("DateTime")) {
            return (value, out) -> {
                long seconds = Math.floorDiv(((TimestampData) value).getMillisecond(), 1000L);
                out.int32((int) within(seconds, 0, 0xFFFF_FFFFL, name, path));
            };
        }
        if (!name.equals("DateTime64")) {
            return null;
        }
        int digits = to.number(0);
        long perTick = power(9 - digits);
        long last = digits == 9 ? LAST_NANO_MILLI : END_MILLI - 1;
        return (value, out) -> {
            var time = (TimestampData) value;
            long millis = within(time.getMillisecond(), FIRST_MILLI, last, name, path);
            out.int64(digits <= 3
                    ? Math.floorDiv(millis, power(3 - digits))
                    : millis * power(digits - 3) + time.getNanoOfMillisecond() / perTick);
        };
    }

    private static long power(int exponent) {
        long power = 1;
        for (int i = 0; i < exponent; i++) {
            power *= 10;
        }
        return power;
    }

    private static long within(long value, long first, long last, String name, String path) throws RejectedException {
        if (value < first || value > last) {
            throw new RejectedException(path + " is out of the range of " + name + " (" + value + ")");
        }
        return value;
    }
}
