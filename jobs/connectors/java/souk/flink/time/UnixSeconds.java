package souk.flink.time;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/** Returns whole seconds since 1970 as a BIGINT; Flink's TIMESTAMPDIFF is an INT, which overflows in 2038. */
public class UnixSeconds extends ScalarFunction {
    public long eval(
            @DataTypeHint(value = "TIMESTAMP_LTZ(3) NOT NULL", bridgedTo = TimestampData.class) TimestampData moment) {
        return Math.floorDiv(moment.getMillisecond(), 1000L);
    }
}
