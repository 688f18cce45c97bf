package souk.flink.visits;

import java.util.Arrays;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * Adds doubles without a rounding error, so what is added and later removed leaves nothing behind, however much greater it
 * was than the rest. The state holds the sum as doubles that do not overlap, the smallest first (Shewchuk 1997, "Adaptive
 * Precision Floating-Point Arithmetic", as in Python's {@code math.fsum}). The result is their sum, rounded once.
 */
public class ExactSum extends AggregateFunction<Double, ExactSum.Sum> {
    /** Flink stores the public fields as state; a renamed field or class makes old state unreadable. */
    public static class Sum {
        public double[] parts = {};
    }

    @Override
    public Sum createAccumulator() {
        return new Sum();
    }

    /** Adds a finite number. */
    public void accumulate(Sum sum, double amount) {
        double[] parts = Arrays.copyOf(sum.parts, sum.parts.length + 1);
        int kept = 0;
        double high = amount;
        for (double part : sum.parts) {
            double total = high + part;
            double low = Math.abs(high) < Math.abs(part) ? high - (total - part) : part - (total - high);
            if (low != 0) {
                parts[kept++] = low;
            }
            high = total;
        }
        if (high != 0) {
            parts[kept++] = high;
        }
        sum.parts = Arrays.copyOf(parts, kept);
    }

    @Override
    public Double getValue(Sum sum) {
        int next = sum.parts.length;
        double high = 0;
        double low = 0;
        while (next > 0 && low == 0) {
            double part = sum.parts[--next];
            double total = high + part;
            low = part - (total - high);
            high = total;
        }
        // Half of the last digit was rounded to even: the smaller parts say in which direction it should have been.
        if (next > 0 && (low < 0) == (sum.parts[next - 1] < 0)) {
            double corrected = high + low * 2;
            if (corrected - high == low * 2) {
                high = corrected;
            }
        }
        return high;
    }
}
