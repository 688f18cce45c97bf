package souk.flink.common;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/** Rows that are sent together, as copies in binary form. Only the last row of each key is in the batch. */
final class Batch {
    private final RowDataSerializer serializer;
    private final RowData.FieldGetter[] keyGetters;
    private final RowDataSerializer keySerializer;
    private final List<BinaryRowData> rows = new ArrayList<>();
    private final Map<BinaryRowData, Integer> positions = new HashMap<>();
    private long bytes;

    /** The watermark when the batch was closed: every row up to the watermark is in this batch or an earlier batch. */
    long watermark;

    Batch(RowType rowType, int[] key) {
        serializer = new RowDataSerializer(rowType);
        var keyTypes = new LogicalType[key.length];
        keyGetters = new RowData.FieldGetter[key.length];
        for (int i = 0; i < key.length; i++) {
            keyTypes[i] = rowType.getTypeAt(key[i]);
            keyGetters[i] = RowData.createFieldGetter(keyTypes[i], key[i]);
        }
        keySerializer = new RowDataSerializer(keyTypes);
    }

    void add(RowData row, RowKind kind) {
        // The serializer returns a binary row unchanged and writes other rows into a row that it reuses, so all are copied.
        BinaryRowData copy = serializer.toBinaryRow(row).copy();
        copy.setRowKind(kind);
        bytes += copy.getSizeInBytes();
        Integer earlier = keyGetters.length == 0 ? null : positions.putIfAbsent(key(row), rows.size());
        if (earlier == null) {
            rows.add(copy);
        } else {
            bytes -= rows.set(earlier, copy).getSizeInBytes();
        }
    }

    private BinaryRowData key(RowData row) {
        var key = new GenericRowData(keyGetters.length);
        for (int i = 0; i < keyGetters.length; i++) {
            key.setField(i, keyGetters[i].getFieldOrNull(row));
        }
        return keySerializer.toBinaryRow(key).copy();
    }

    List<BinaryRowData> rows() {
        return rows;
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    boolean isFull(Flush flush) {
        return rows.size() >= flush.rows() || bytes >= flush.bytes();
    }

    void clear() {
        rows.clear();
        positions.clear();
        bytes = 0;
    }
}
