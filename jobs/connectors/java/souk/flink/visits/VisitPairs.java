package souk.flink.visits;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.ArgumentTrait;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.types.Row;

/**
 * Pairs the first products of a visit. Each touch returns the pairs that it adds (sign 1) and the pairs that it removes
 * (sign -1). README.md has the columns.
 *
 * <p>The first products are one value of the state, read and written once per touch. Later products are in a map. The
 * map is read only in visits with more products than {@code kept}: a late event may make a later product a first one.
 */
@DataTypeHint("ROW<product_id STRING NOT NULL, other_id STRING NOT NULL, weight INT NOT NULL, "
        + "first_s BIGINT NOT NULL, sign INT NOT NULL>")
public class VisitPairs extends ProcessTableFunction<Row> {
    /** The first products of a visit, earliest first. */
    public static class FirstProducts {
        public VisitProduct[] items = {};
    }

    public void eval(
            @StateHint FirstProducts first,
            @StateHint MapView<String, VisitProduct> later,
            @ArgumentHint(name = "touches", value = ArgumentTrait.SET_SEMANTIC_TABLE) Row touch,
            @ArgumentHint(name = "kept") Integer kept)
            throws Exception {
        VisitProduct[] before = first.items;
        first.items = firstOf(before, item(touch), kept, later);
        collectDifference(first.items, before, 1); // additions first: a sum must not reach zero in between
        collectDifference(before, first.items, -1);
    }

    private static VisitProduct item(Row touch) {
        return VisitProduct.of(
                touch.getFieldAs("product_id"),
                touch.<Integer>getFieldAs("weight"),
                touch.<Number>getFieldAs("touched_s").longValue());
    }

    private static VisitProduct[] firstOf(VisitProduct[] before, VisitProduct touch, int kept, MapView<String, VisitProduct> later)
            throws Exception {
        var items = new ArrayList<>(List.of(before));
        VisitProduct known = take(items, touch.productId);
        if (known == null && before.length == kept) {
            known = later.get(touch.productId);
        }
        VisitProduct now = known == null ? touch : known.merge(touch);
        int place = 0;
        while (place < items.size() && items.get(place).isBefore(now)) {
            place++;
        }
        items.add(place, now);
        if (items.size() > kept) {
            VisitProduct last = items.remove(kept);
            later.put(last.productId, last);
            if (known != null && last != now) {
                later.remove(now.productId);
            }
        }
        return items.toArray(VisitProduct[]::new);
    }

    private static VisitProduct take(List<VisitProduct> items, String productId) {
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i).productId.equals(productId)) {
                return items.remove(i);
            }
        }
        return null;
    }

    /** Collects the pairs of {@code items} that {@code others} lacks, including a product's pair with itself. */
    private void collectDifference(VisitProduct[] items, VisitProduct[] others, int sign) {
        var isNew = new boolean[items.length];
        for (int i = 0; i < items.length; i++) {
            isNew[i] = !contains(others, items[i]);
            for (int j = 0; j <= i; j++) {
                if (isNew[i] || isNew[j]) {
                    collect(pair(items[j], items[i], sign));
                }
            }
        }
    }

    private static boolean contains(VisitProduct[] items, VisitProduct sought) {
        for (VisitProduct item : items) {
            if (item.isSame(sought)) {
                return true;
            }
        }
        return false;
    }

    private static Row pair(VisitProduct earlier, VisitProduct later, int sign) {
        boolean swap = later.hasLesserId(earlier);
        return Row.of(
                (swap ? later : earlier).productId,
                (swap ? earlier : later).productId,
                earlier.weight * later.weight,
                later.firstS,
                sign);
    }
}
