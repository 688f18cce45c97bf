package souk.flink.redis;

import static org.apache.flink.table.types.logical.LogicalTypeFamily.NUMERIC;

import java.io.Serializable;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.RowType;

/**
 * How rows lie in Redis.
 *
 * @param mode sorted set, hash or string
 * @param key the one key that holds all rows; null: each row has a key of its own
 * @param prefix what stands before the primary key in a row's own key
 * @param rowType the columns
 * @param primaryKey positions of the primary key's columns
 */
record Layout(Mode mode, String key, String prefix, RowType rowType, int[] primaryKey) implements Serializable {

    enum Mode { ZSET, HASH, STRING }

    /** Positions of the columns that are not in the primary key. */
    int[] values() {
        return IntStream.range(0, rowType.getFieldCount())
                .filter(position -> Arrays.stream(primaryKey).noneMatch(part -> part == position))
                .toArray();
    }

    /** Fails the planning where the columns do not fit the mode. */
    void check() {
        int[] values = values();
        switch (mode) {
            case ZSET -> {
                require(key != null, "mode 'zset' needs 'key'");
                require(values.length == 1 && rowType.getTypeAt(values[0]).is(NUMERIC),
                        "mode 'zset' needs one numeric column, the score, beside the primary key");
            }
            case HASH -> {
                require(key == null || prefix.isEmpty(), "give 'key' or 'key.prefix', not both");
                require(values.length >= 1, "mode 'hash' needs a column beside the primary key");
                require(key == null || values.length == 1, "mode 'hash' with 'key' needs one column, the value");
            }
            case STRING -> {
                require(key == null, "mode 'string' takes 'key.prefix', not 'key'");
                require(values.length == 1, "mode 'string' needs one column, the value, beside the primary key");
            }
        }
    }

    private static void require(boolean holds, String rule) {
        if (!holds) {
            throw new ValidationException("souk-redis: " + rule);
        }
    }
}
