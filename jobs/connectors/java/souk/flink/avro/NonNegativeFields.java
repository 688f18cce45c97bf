package souk.flink.avro;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import souk.flink.common.RejectedException;

/** Rejects events that have a negative number in a field that can't be negative, such as a price. */
record NonNegativeFields(List<Field> fields) implements Serializable {

    /**
     * A BIGINT column, or a BIGINT field of an array of rows.
     *
     * @param name the column, or {@code column.field}
     * @param position the column's position in the row
     * @param element the field's position in the array's rows; -1 for a column
     * @param width the number of fields of the array's rows
     */
    record Field(String name, int position, int element, int width) implements Serializable {
        void check(RowData row) throws RejectedException {
            if (row.isNullAt(position)) {
                return;
            }
            if (element < 0) {
                require(row.getLong(position));
                return;
            }
            ArrayData rows = row.getArray(position);
            for (int i = 0; i < rows.size(); i++) {
                RowData inner = rows.getRow(i, width);
                if (!inner.isNullAt(element)) {
                    require(inner.getLong(element));
                }
            }
        }

        private void require(long value) throws RejectedException {
            if (value < 0) {
                throw new RejectedException(name + " is negative: " + value);
            }
        }
    }

    /** Throws a ValidationException if a name is not a BIGINT column or field. */
    static NonNegativeFields of(RowType rowType, List<String> names) {
        var fields = new ArrayList<Field>();
        for (String name : names) {
            String[] parts = name.split("\\.", 2);
            int position = rowType.getFieldIndex(parts[0]);
            LogicalType type = position < 0 ? null : rowType.getTypeAt(position);
            int element = -1;
            int width = 0;
            if (parts.length == 2 && type instanceof ArrayType array && array.getElementType() instanceof RowType inner) {
                element = inner.getFieldIndex(parts[1]);
                width = inner.getFieldCount();
                type = element < 0 ? null : inner.getTypeAt(element);
            }
            if (type == null || !type.is(LogicalTypeRoot.BIGINT)) {
                throw new ValidationException("souk-avro: 'non-negative' names " + name + ", which is not a BIGINT column");
            }
            fields.add(new Field(name, position, element, width));
        }
        return new NonNegativeFields(fields);
    }

    void check(RowData row) throws RejectedException {
        for (Field field : fields) {
            field.check(row);
        }
    }
}
