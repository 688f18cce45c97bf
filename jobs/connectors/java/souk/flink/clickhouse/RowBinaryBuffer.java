package souk.flink.clickhouse;

import java.math.BigInteger;
import java.util.Arrays;

/** A growing buffer in ClickHouse's format RowBinary: little-endian numbers, varint lengths. */
final class RowBinaryBuffer {
    private byte[] bytes = new byte[64 << 10];
    private int size;

    void reset() {
        size = 0;
    }

    int size() {
        return size;
    }

    byte[] array() {
        return bytes;
    }

    void int8(int value) {
        ensure(1);
        bytes[size++] = (byte) value;
    }

    void int16(int value) {
        little(value, 2);
    }

    void int32(int value) {
        little(value, 4);
    }

    void int64(long value) {
        little(value, 8);
    }

    /** Appends a two's complement number of {@code width} bytes. */
    void integer(BigInteger value, int width) {
        ensure(width);
        byte[] big = value.toByteArray();
        byte sign = (byte) (value.signum() < 0 ? -1 : 0);
        for (int i = 0; i < width; i++) {
            bytes[size++] = i < big.length ? big[big.length - 1 - i] : sign;
        }
    }

    void length(int length) {
        ensure(5);
        int rest = length;
        while (rest > 0x7f) {
            bytes[size++] = (byte) (rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
    }

    void string(byte[] text) {
        length(text.length);
        raw(text);
    }

    void raw(byte[] more) {
        ensure(more.length);
        System.arraycopy(more, 0, bytes, size, more.length);
        size += more.length;
    }

    private void little(long value, int width) {
        ensure(width);
        for (int i = 0; i < width; i++) {
            bytes[size++] = (byte) (value >>> 8 * i);
        }
    }

    private void ensure(int more) {
        if (more > bytes.length - size) {
            bytes = Arrays.copyOf(bytes, Math.max(size + more, bytes.length * 2));
        }
    }
}
