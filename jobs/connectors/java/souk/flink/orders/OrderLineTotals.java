package souk.flink.orders;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * Adds up the lines of one order by a key. A query that sums over many orders then updates its sum once per order, and
 * can count orders without a state that lists them. README.md has the columns.
 */
public class OrderLineTotals extends TableFunction<RowData> implements SpecializedFunction {
    private static final List<String> AMOUNTS =
            List.of("quantity", "unit_price_minor", "discount_minor", "shipping_minor");
    private static final List<String> TOTALS =
            List.of("lines", "units", "gross_minor", "discount_minor", "shipping_minor");

    /** Returns one row for the order, also for an order without lines. */
    public static final class PerOrder extends OrderLineTotals {
        public PerOrder() {
            super(List.of());
        }
    }

    /** Returns one row for each seller of the order. */
    public static final class PerSeller extends OrderLineTotals {
        public PerSeller() {
            super(List.of("seller_id"));
        }
    }

    /** Returns one row for each product of each seller of the order. */
    public static final class PerProduct extends OrderLineTotals {
        public PerProduct() {
            super(List.of("seller_id", "product_id"));
        }
    }

    private final List<String> key;
    private final int width;
    private final int[] keyAt;
    private final int[] amountsAt;

    private OrderLineTotals(List<String> key) {
        this(key, null);
    }

    private OrderLineTotals(List<String> key, RowType line) {
        this.key = key;
        this.width = line == null ? 0 : line.getFieldCount();
        this.keyAt = line == null ? null : key.stream().mapToInt(line::getFieldIndex).toArray();
        this.amountsAt = line == null ? null : AMOUNTS.stream().mapToInt(line::getFieldIndex).toArray();
    }

    /** Returns the function for the type of lines that a query passes. */
    @Override
    public UserDefinedFunction specialize(SpecializedContext context) {
        return new OrderLineTotals(key, lineType(context.getCallContext()));
    }

    public void eval(ArrayData lines) {
        var groups = new LinkedHashMap<List<StringData>, long[]>();
        if (key.isEmpty()) {
            groups.put(List.of(), new long[TOTALS.size()]);
        }
        for (int i = 0; i < lines.size(); i++) {
            RowData line = lines.getRow(i, width);
            var id = new ArrayList<StringData>(keyAt.length);
            for (int position : keyAt) {
                id.add(line.getString(position));
            }
            add(line, groups.computeIfAbsent(id, absent -> new long[TOTALS.size()]));
        }
        groups.forEach((id, totals) -> collect(row(id, totals)));
    }

    private void add(RowData line, long[] totals) {
        long units = line.getInt(amountsAt[0]);
        totals[0]++;
        totals[1] += units;
        totals[2] += units * line.getLong(amountsAt[1]);
        totals[3] += line.getLong(amountsAt[2]);
        totals[4] += line.getLong(amountsAt[3]);
    }

    private static RowData row(List<StringData> id, long[] totals) {
        var row = new GenericRowData(id.size() + totals.length);
        for (int i = 0; i < id.size(); i++) {
            row.setField(i, id.get(i));
        }
        for (int i = 0; i < totals.length; i++) {
            row.setField(id.size() + i, totals[i]);
        }
        return row;
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(new LinesArgument())
                .outputTypeStrategy(call -> Optional.of(totalsType()))
                .build();
    }

    private DataType totalsType() {
        var fields = new ArrayList<DataTypes.Field>();
        key.forEach(name -> fields.add(DataTypes.FIELD(name, DataTypes.STRING().notNull())));
        TOTALS.forEach(name -> fields.add(DataTypes.FIELD(name, DataTypes.BIGINT().notNull())));
        return DataTypes.ROW(fields).notNull().bridgedTo(RowData.class);
    }

    /** Returns the row type of the array that a call passes. */
    private RowType lineType(CallContext call) {
        var type = call.getArgumentDataTypes().get(0).getLogicalType();
        if (!(type instanceof ArrayType lines) || !(lines.getElementType() instanceof RowType line)) {
            throw call.newValidationError("%s needs an array of order lines, not %s", call.getName(), type);
        }
        key.forEach(name -> require(call, line, name, LogicalTypeRoot.VARCHAR));
        AMOUNTS.forEach(name -> require(
                call, line, name, name.equals("quantity") ? LogicalTypeRoot.INTEGER : LogicalTypeRoot.BIGINT));
        return line;
    }

    private static void require(CallContext call, RowType line, String field, LogicalTypeRoot root) {
        int position = line.getFieldIndex(field);
        if (position < 0 || line.getTypeAt(position).isNullable() || !line.getTypeAt(position).is(root)) {
            throw call.newValidationError("an order line needs %s, a %s that is NOT NULL", field, root);
        }
    }

    /** Declares the argument: an array of order lines in Flink's internal form. */
    private final class LinesArgument implements InputTypeStrategy {
        @Override
        public ArgumentCount getArgumentCount() {
            return ConstantArgumentCount.of(1);
        }

        @Override
        public Optional<List<DataType>> inferInputTypes(CallContext call, boolean throwOnFailure) {
            lineType(call);
            return Optional.of(List.of(call.getArgumentDataTypes().get(0).bridgedTo(ArrayData.class)));
        }

        @Override
        public List<Signature> getExpectedSignatures(
                FunctionDefinition definition) {
            return List.of(Signature.of(
                    Signature.Argument.of("lines", "ARRAY<ROW<…>>")));
        }
    }
}
