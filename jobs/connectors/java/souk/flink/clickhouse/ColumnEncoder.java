package souk.flink.clickhouse;

import souk.flink.common.RejectedException;

/** Writes one value as RowBinary; the value is in Flink's internal form and not null. */
interface ColumnEncoder {
    void write(Object value, RowBinaryBuffer out) throws RejectedException;
}
