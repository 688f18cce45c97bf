package souk.flink.orders;

import java.util.List;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
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
 * Adds up the lines of one order; returns one row, also for an order without lines. A query that sums over many orders
 * then updates its sum once per order, and can count orders without a state that lists them.
 */
public final class OrderLineTotals extends TableFunction<RowData> implements SpecializedFunction {
    private static final List<String> AMOUNTS =
            List.of("quantity", "unit_price_minor", "discount_minor", "shipping_minor");
    private static final List<String> TOTALS =
            List.of("lines", "units", "gross_minor", "discount_minor", "shipping_minor");

    private final int width;
    private final int[] amountsAt;

    public OrderLineTotals() {
        this(null);
    }

    private OrderLineTotals(RowType line) {
        this.width = line == null ? 0 : line.getFieldCount();
        this.amountsAt = line == null ? null : AMOUNTS.stream().mapToInt(line::getFieldIndex).toArray();
    }

    /** Returns the function for the type of lines that a query passes. */
    @Override
    public UserDefinedFunction specialize(SpecializedContext context) {
        return new OrderLineTotals(lineType(context.getCallContext()));
    }

    public void eval(ArrayData lines) {
        long units = 0;
        long gross = 0;
        long discount = 0;
        long shipping = 0;
        for (int i = 0; i < lines.size(); i++) {
            RowData line = lines.getRow(i, width);
            long quantity = line.getInt(amountsAt[0]);
            units += quantity;
            gross += quantity * line.getLong(amountsAt[1]);
            discount += line.getLong(amountsAt[2]);
            shipping += line.getLong(amountsAt[3]);
        }
        collect(GenericRowData.of((long) lines.size(), units, gross, discount, shipping));
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(new LinesArgument())
                .outputTypeStrategy(call -> Optional.of(totalsType()))
                .build();
    }

    private static DataType totalsType() {
        var fields = TOTALS.stream().map(name -> DataTypes.FIELD(name, DataTypes.BIGINT().notNull())).toList();
        return DataTypes.ROW(fields).notNull().bridgedTo(RowData.class);
    }

    /** Returns the row type of the array that a call passes. */
    private static RowType lineType(CallContext call) {
        var type = call.getArgumentDataTypes().get(0).getLogicalType();
        if (!(type instanceof ArrayType lines) || !(lines.getElementType() instanceof RowType line)) {
            throw call.newValidationError("%s needs an array of order lines, not %s", call.getName(), type);
        }
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
    private static final class LinesArgument implements InputTypeStrategy {
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
