package souk.flink.common;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Serializes a watermark (Unix milliseconds) for checkpoints, in eight bytes. */
final class WatermarkSerializer implements SimpleVersionedSerializer<Long> {
    @Override
    public int getVersion() {
        return 1;
    }

    @Override
    public byte[] serialize(Long watermark) {
        return ByteBuffer.allocate(Long.BYTES).putLong(watermark).array();
    }

    @Override
    public Long deserialize(int version, byte[] stored) throws IOException {
        if (version != 1 || stored.length != Long.BYTES) {
            throw new IOException("no watermark of version 1: version " + version + ", " + stored.length + " bytes");
        }
        return ByteBuffer.wrap(stored).getLong();
    }
}
