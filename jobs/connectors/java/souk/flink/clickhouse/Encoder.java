package souk.flink.clickhouse;

import souk.flink.common.Refused;

/** Writes one value, in Flink's internal form and never null, as RowBinary. */
interface Encoder {
    void write(Object value, RowBinary out) throws Refused;
}
