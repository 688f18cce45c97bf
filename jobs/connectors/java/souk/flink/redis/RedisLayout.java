package souk.flink.redis;

import static org.apache.flink.table.types.logical.LogicalTypeFamily.NUMERIC;

import java.io.Serializable;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.RowType;

/**
 * Describes how rows are stored in Redis.
 *
 * @param mode sorted set, hash or string
 * @param key the key that holds all rows; null if each row has its own key
 * @param prefix the prefix of a row's own key, before the primary key
 * @param rowType the columns
 * @param primaryKey positions of the primary key's columns; of all columns but the last if there is no primary key
 * @param raiseOnly whether a member keeps its highest score, in any order of rows; true if there is no primary key
 */
record RedisLayout(Mode mode, String key, String prefix, RowType rowType, int[] primaryKey, boolean raiseOnly)
        implements Serializable {

    enum Mode { ZSET, HASH, STRING }

    /** Returns the positions of the columns that are not in the primary key. */
    int[] values() {
        return IntStream.range(0, rowType.getFieldCount())
                .filter(position -> Arrays.stream(primaryKey).noneMatch(part -> part == position))
                .toArray();
    }

    /** Returns the positions of the columns in a row's own key; for a sorted set only the first column. */
    int[] owner() {
        return mode == Mode.ZSET ? Arrays.copyOf(primaryKey, 1) : primaryKey;
    }

    /** Returns the positions of the columns that identify a row within its key. */
    int[] member() {
        return mode == Mode.ZSET && key == null
                ? Arrays.copyOfRange(primaryKey, 1, primaryKey.length)
                : primaryKey;
    }

    /** Throws a ValidationException if the columns do not fit the mode. */
    void check() {
        int[] values = values();
        require(!raiseOnly || mode == Mode.ZSET, "only mode 'zset' goes without a PRIMARY KEY (...) NOT ENFORCED");
        switch (mode) {
            case ZSET -> {
                require(key == null || prefix.isEmpty(), "give 'key' or 'key.prefix', not both");
                require(key != null || primaryKey.length > 1,
                        "mode 'zset' needs 'key', or a column for the set's owner before the member's column");
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
