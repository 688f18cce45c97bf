package souk.flink.common;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.table.data.RowData;
import org.apache.flink.types.RowKind;

/**
 * One subtask's writer: fills one batch while the other is on its way, one request at a time so that the rows of a
 * key stay in order. Everything here runs in the task's thread but {@link #deliver}.
 */
final class BufferedWriter implements StatefulSinkWriter<RowData, Long> {
    private static final long PROGRESS_EVERY_MS = 500;
    private static final long POLL_MS = 5;

    /** Of all sinks of this process that write to ClickHouse. */
    private static final Pacer PACER = new Pacer();

    private final BufferedSink sink;
    private final Sender sender;
    private final ProcessingTimeService time;
    private final SinkMetrics metrics;
    private final ExecutorService thread;

    private Batch filling;
    private Batch spare;
    private Future<?> inFlight = CompletableFuture.completedFuture(null);
    private boolean flushTimerSet;
    private boolean hasTurn;
    private long watermark;
    private volatile long progressed;
    private volatile double requestMs;

    /** @param reached the watermark that is told already, or {@code Long.MIN_VALUE} */
    BufferedWriter(
            BufferedSink sink, Sender sender, ProcessingTimeService time, SinkMetrics metrics, long reached) {
        this.sink = sink;
        this.sender = sender;
        this.time = time;
        this.metrics = metrics;
        this.watermark = reached;
        this.progressed = reached;
        this.filling = new Batch(sink.rowType(), sink.key());
        this.spare = new Batch(sink.rowType(), sink.key());
        if (sink.tracksProgress()) {
            time.registerTimer(time.getCurrentProcessingTime() + PROGRESS_EVERY_MS, this::onProgressTimer);
        }
        this.thread = Executors.newSingleThreadExecutor(
                task -> new Thread(task, "souk-" + sink.deadLetters().stage() + "-sender"));
    }

    @Override
    public void write(RowData row, Context context) throws IOException, InterruptedException {
        // The planner sends the row before an update only where the row after it may be filtered out: a deletion.
        boolean deleted = row.getRowKind() == RowKind.DELETE || row.getRowKind() == RowKind.UPDATE_BEFORE;
        if (deleted && sink.deletes() != Deletes.WRITE) {
            return;
        }
        filling.add(row, deleted ? RowKind.DELETE : RowKind.INSERT);
        metrics.rowsBuffered = filling.rows().size();
        if (filling.isFull(sink.flush())) {
            handOver();
        } else {
            setFlushTimer(sink.flush().interval().toMillis());
        }
    }

    @Override
    public void writeWatermark(Watermark mark) {
        // The last watermark of a bounded input is the end of time, which no figure may claim to have reached.
        if (sink.tracksProgress() && mark.getTimestamp() != Long.MAX_VALUE) {
            watermark = Math.max(watermark, mark.getTimestamp());
        }
    }

    @Override
    public void flush(boolean endOfInput) throws IOException, InterruptedException {
        if (!filling.isEmpty()) {
            handOver();
        }
        await();
        if (endOfInput && watermark > Long.MIN_VALUE) {
            sender.progress(watermark, true);
        }
    }

    /**
     * The watermark up to which the rows before this checkpoint are written. What comes after it is written again when
     * the job restarts, sums from lower values on, so no more may be claimed then.
     */
    @Override
    public List<Long> snapshotState(long checkpointId) {
        return watermark > Long.MIN_VALUE ? List.of(watermark) : List.of();
    }

    /** Waits for the request in flight, then sends what is filled. */
    private void handOver() throws IOException, InterruptedException {
        await();
        Batch batch = filling;
        batch.watermark = watermark;
        filling = spare;
        spare = batch;
        metrics.rowsBuffered = 0;
        hasTurn = false;
        inFlight = thread.submit(() -> deliver(batch), null);
    }

    private void await() throws IOException, InterruptedException {
        try {
            inFlight.get();
        } catch (ExecutionException failure) {
            throw new IOException(failure.getCause().getMessage(), failure.getCause());
        }
    }

    /** Sends one batch, and says how far the rows now reach. */
    private void deliver(Batch batch) {
        try {
            long start = System.nanoTime();
            sender.send(batch.rows());
            requestMs = (System.nanoTime() - start) / 1e6;
            batch.clear();
            if (batch.watermark > progressed) {
                sender.progress(batch.watermark, false);
                progressed = batch.watermark;
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("cancelled", cancelled);
        }
    }

    private void setFlushTimer(long delayMs) {
        if (!flushTimerSet) {
            flushTimerSet = true;
            time.registerTimer(time.getCurrentProcessingTime() + delayMs, this::onFlushTimer);
        }
    }

    private void onFlushTimer(long now) throws IOException, InterruptedException {
        flushTimerSet = false;
        if (!inFlight.isDone()) {
            setFlushTimer(POLL_MS);
        } else if (filling.isEmpty()) {
            await();
        } else if (hasTurn) {
            handOver();
        } else {
            long wait = sink.tracksProgress() ? PACER.delay(requestMs, sink.flush().interval().toMillis()) : 0;
            if (wait > 0) {
                hasTurn = true;
                setFlushTimer(wait);
            } else {
                handOver();
            }
        }
    }

    /** Lets the watermark through while no rows come; while they do, {@link #deliver} does. */
    private void onProgressTimer(long now) throws IOException, InterruptedException {
        if (inFlight.isDone() && filling.isEmpty() && watermark > progressed) {
            await();
            sender.progress(watermark, false);
            progressed = watermark;
        }
        time.registerTimer(time.getCurrentProcessingTime() + PROGRESS_EVERY_MS, this::onProgressTimer);
    }

    @Override
    public void close() {
        thread.shutdownNow();
        sender.close();
    }
}
