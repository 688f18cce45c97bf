package souk.flink.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.data.RowData;
import org.apache.flink.types.RowKind;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol.Command;
import souk.flink.common.RejectedException;

/** Converts a row to the Redis commands that store or remove it. */
final class RedisCommands {
    private static final String GT = "GT";

    private final RedisLayout layout;
    private final RowData.FieldGetter[] getters;
    private final int[] values;

    RedisCommands(RedisLayout layout) {
        this.layout = layout;
        this.values = layout.values();
        this.getters = new RowData.FieldGetter[layout.rowType().getFieldCount()];
        for (int i = 0; i < getters.length; i++) {
            getters[i] = RowData.createFieldGetter(layout.rowType().getTypeAt(i), i);
        }
    }

    /** Returns the Redis key that a row changes. */
    String key(RowData row) throws RejectedException {
        return layout.key() != null ? layout.key() : layout.prefix() + joined(row, layout.owner());
    }

    List<CommandArguments> of(RowData row) throws RejectedException {
        boolean deleted = row.getRowKind() == RowKind.DELETE;
        String key = key(row);
        return switch (layout.mode()) {
            case ZSET -> List.of(deleted
                    ? command(Command.ZREM, key, member(row))
                    : layout.raiseOnly()
                            ? command(Command.ZADD, key, GT, required(row, values[0]), member(row))
                            : command(Command.ZADD, key, required(row, values[0]), member(row)));
            case STRING -> List.of(deleted
                    ? command(Command.DEL, key)
                    : command(Command.SET, key, required(row, values[0])));
            case HASH -> layout.key() == null ? hash(row, key, deleted) : List.of(deleted
                    ? command(Command.HDEL, key, member(row))
                    : command(Command.HSET, key, member(row), required(row, values[0])));
        };
    }

    /**
     * Returns the commands for a hash per row. Null fields, and the fields of a deleted row, are removed one by one,
     * because several tables may share a hash.
     */
    private List<CommandArguments> hash(RowData row, String key, boolean deleted) {
        var set = command(Command.HSET, key);
        var remove = command(Command.HDEL, key);
        for (int position : values) {
            String field = layout.rowType().getFieldNames().get(position);
            Object value = deleted ? null : getters[position].getFieldOrNull(row);
            if (value == null) {
                remove.add(field);
            } else {
                set.add(field).add(bytes(value));
            }
        }
        var commands = new ArrayList<CommandArguments>();
        for (var command : List.of(set, remove)) {
            if (command.size() > 2) {
                commands.add(command);
            }
        }
        return commands;
    }

    private String member(RowData row) throws RejectedException {
        return joined(row, layout.member());
    }

    private String joined(RowData row, int[] positions) throws RejectedException {
        var id = new StringBuilder();
        for (int position : positions) {
            id.append(id.isEmpty() ? "" : ":").append(new String(required(row, position), UTF_8));
        }
        return id.toString();
    }

    private byte[] required(RowData row, int position) throws RejectedException {
        Object value = getters[position].getFieldOrNull(row);
        if (value == null) {
            throw new RejectedException(layout.rowType().getFieldNames().get(position) + " is null");
        }
        return bytes(value);
    }

    /** Returns a value as text; times are in ISO 8601. */
    private static byte[] bytes(Object value) {
        return value instanceof byte[] raw ? raw : value.toString().getBytes(UTF_8);
    }

    private static CommandArguments command(Command command, Object... words) {
        var arguments = new CommandArguments(command);
        for (Object word : words) {
            arguments.add(word);
        }
        return arguments;
    }
}
