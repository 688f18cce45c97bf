package souk.flink.orders;

import org.apache.flink.table.functions.AggregateFunction;

/**
 * Adds amounts. An amount weighs twice as much as an amount a half-life earlier (forward decay, Cormode et al. 2009).
 * The result is a time: a single unit at that time would weigh as much as the sum. README.md has the formula. The state
 * holds the sum relative to the newest amount's weight, which keeps the sum within the range of a double.
 */
public class DecayedSum extends AggregateFunction<Double, DecayedSum.Sum> {
    private static final double SECONDS_A_DAY = 86_400;

    /** Flink stores the public fields as state; a renamed field or class makes old state unreadable. */
    public static class Sum {
        public double halfLifeS;
        public double newestS;
        /** The sum relative to a unit at the newest time; 0 before the first amount. */
        public double amount;
    }

    @Override
    public Sum createAccumulator() {
        return new Sum();
    }

    /** Adds a positive amount; all rows must have the same half-life. */
    public void accumulate(Sum sum, long amount, long momentS, int halfLifeDays) {
        sum.halfLifeS = halfLifeDays * SECONDS_A_DAY;
        if (sum.amount == 0 || momentS > sum.newestS) {
            sum.amount *= Math.pow(2, (sum.newestS - momentS) / sum.halfLifeS);
            sum.newestS = momentS;
        }
        sum.amount += amount * Math.pow(2, (momentS - sum.newestS) / sum.halfLifeS);
    }

    @Override
    public Double getValue(Sum sum) {
        return sum.amount == 0 ? null : sum.newestS + sum.halfLifeS * Math.log(sum.amount) / Math.log(2);
    }
}
