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
 * The writer of one subtask. It fills one batch while it sends the other. It sends one request at a time, so that the
 * rows of a key stay in order. Only {@link #deliver} runs outside the task's thread.
 */
final class BufferedSinkWriter implements StatefulSinkWriter<RowData, Long> {
    private static final long PROGRESS_EVERY_MS = 500;
    private static final long POLL_MS = 5;

    private final BufferedSink sink;
    private final RetryingSender sender;
    private final ProcessingTimeService time;
    private final SinkMetrics metrics;
    private final RequestPacer pacer;
    private final ExecutorService thread;

    private Batch filling;
    private Batch spare;
    private Future<?> inFlight = CompletableFuture.completedFuture(null);
    private boolean flushTimerSet;
    private boolean delayed;
    private long firstRowAt;
    private long handedOverAt;
    private long watermark;
    private volatile long reported;
    private volatile double requestMs;

    /** @param reached the watermark that has been reported, or {@code Long.MIN_VALUE} */
    BufferedSinkWriter(
            BufferedSink sink, RetryingSender sender, ProcessingTimeService time, SinkMetrics metrics, long reached) {
        this.sink = sink;
        this.sender = sender;
        this.time = time;
        this.metrics = metrics;
        this.pacer = RequestPacer.of(sink.flush().interval());
        this.watermark = reached;
        this.reported = reached;
        this.filling = new Batch(sink.rowType(), sink.key());
        this.spare = new Batch(sink.rowType(), sink.key());
        this.handedOverAt = time.getCurrentProcessingTime();
        if (sink.tracksProgress()) {
            time.registerTimer(time.getCurrentProcessingTime() + PROGRESS_EVERY_MS, this::onProgressTimer);
        }
        this.thread = Executors.newSingleThreadExecutor(
                task -> new Thread(task, "souk-" + sink.deadLetters().stage() + "-sender"));
    }

    @Override
    public void write(RowData row, Context context) throws IOException, InterruptedException {
        // The planner sends UPDATE_BEFORE only if the query may filter out the updated row, which is a deletion.
        boolean deleted = row.getRowKind() == RowKind.DELETE || row.getRowKind() == RowKind.UPDATE_BEFORE;
        if (deleted && sink.deletes() != DeletePolicy.WRITE) {
            return;
        }
        if (filling.isEmpty()) {
            firstRowAt = time.getCurrentProcessingTime();
        }
        filling.add(row, deleted ? RowKind.DELETE : RowKind.INSERT);
        metrics.rowsBuffered = filling.rows().size();
        if (filling.isFull(sink.flush())) {
            handOver();
        } else {
            setFlushTimer(sink.flush().firstRowMs(firstRowAt - handedOverAt));
        }
    }

    @Override
    public void writeWatermark(Watermark mark) {
        // A bounded input ends with the maximum watermark, which must not be reported.
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
            sender.reportProgress(watermark, true);
        }
    }

    /**
     * Returns the watermark up to which the rows before this checkpoint are written. After a restart the rows after this
     * watermark are written again, so the restored writer must not report a later one.
     */
    @Override
    public List<Long> snapshotState(long checkpointId) {
        return watermark > Long.MIN_VALUE ? List.of(watermark) : List.of();
    }

    /** Waits for the request in flight, then sends the filled batch. */
    private void handOver() throws IOException, InterruptedException {
        await();
        Batch batch = filling;
        batch.watermark = watermark;
        filling = spare;
        spare = batch;
        metrics.rowsBuffered = 0;
        handedOverAt = time.getCurrentProcessingTime();
        delayed = false;
        inFlight = thread.submit(() -> deliver(batch), null);
    }

    private void await() throws IOException, InterruptedException {
        try {
            inFlight.get();
        } catch (ExecutionException failure) {
            throw new IOException(failure.getCause().getMessage(), failure.getCause());
        }
    }

    /** Sends one batch, then reports its watermark. */
    private void deliver(Batch batch) {
        try {
            long start = System.nanoTime();
            sender.send(batch.rows());
            requestMs = (System.nanoTime() - start) / 1e6;
            batch.clear();
            if (batch.watermark > reported) {
                sender.reportProgress(batch.watermark, false);
                reported = batch.watermark;
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
        } else if (delayed) {
            handOver();
        } else {
            flushOrWait(now);
        }
    }

    /** Hands over the rows, unless more of them are worth waiting for or the store needs a rest. */
    private void flushOrWait(long now) throws IOException, InterruptedException {
        long waited = now - firstRowAt;
        long more = sink.flush().moreMs(filling.rows().size(), waited);
        if (more > 0) {
            setFlushTimer(more);
            return;
        }
        long rest = sink.tracksProgress() ? rest(waited) : 0;
        if (rest > 0) {
            delayed = true;
            setFlushTimer(rest);
        } else {
            handOver();
        }
    }

    private long rest(long waitedMs) {
        Flush flush = sink.flush();
        return pacer.delay(requestMs, flush.longestRestMs(waitedMs), flush.interval().toMillis());
    }

    /** Reports the watermark while no rows arrive; otherwise {@link #deliver} reports it. */
    private void onProgressTimer(long now) throws IOException, InterruptedException {
        if (inFlight.isDone() && filling.isEmpty() && watermark > reported) {
            await();
            sender.reportProgress(watermark, false);
            reported = watermark;
        }
        time.registerTimer(time.getCurrentProcessingTime() + PROGRESS_EVERY_MS, this::onProgressTimer);
    }

    @Override
    public void close() {
        thread.shutdownNow();
        sender.close();
    }
}
