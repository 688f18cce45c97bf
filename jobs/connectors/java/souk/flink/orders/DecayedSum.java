package souk.flink.orders;

import org.apache.flink.table.functions.AggregateFunction;

/**
 * A sum in which each amount is worth twice one of a half-life earlier (forward decay, Cormode et al. 2009), told as a
 * moment: the one at which a single unit would be worth as much as all of them. README.md has the formula. Amounts are
 * weighed against the newest of them, so that no date is too far from another for a double.
 */
public class DecayedSum extends AggregateFunction<Double, DecayedSum.Sum> {
    private static final double SECONDS_A_DAY = 86_400;

    /** Public fields make it a state of Flink. */
    public static class Sum {
        public double halfLifeS;
        public double newestS;
        /** In units of the newest moment; 0 before the first. */
        public double amount;
    }

    @Override
    public Sum createAccumulator() {
        return new Sum();
    }

    /** Amounts are positive; the half-life is the same in every row. */
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
