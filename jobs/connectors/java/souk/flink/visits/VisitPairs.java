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
 * The pairs of the products that came first in a visit, as changes: each touch tells the pairs that it makes (sign 1) and
 * takes back those that it ends (sign -1). README.md has its columns.
 *
 * <p>The first products are one value, read and written once a touch. What came later lies apart and is looked up
 * only in a visit of more products than are kept, for a late event may still bring it forward.
 */
@DataTypeHint("ROW<product_id STRING NOT NULL, other_id STRING NOT NULL, weight INT NOT NULL, "
        + "first_s BIGINT NOT NULL, sign INT NOT NULL>")
public class VisitPairs extends ProcessTableFunction<Row> {
    /** A visit's first products, the earliest first. */
    public static class First {
        public Item[] items = {};
    }

    public void eval(
            @StateHint First first,
            @StateHint MapView<String, Item> later,
            @ArgumentHint(name = "touches", value = ArgumentTrait.SET_SEMANTIC_TABLE) Row touch,
            @ArgumentHint(name = "kept") Integer kept)
            throws Exception {
        Item[] before = first.items;
        first.items = firstOf(before, item(touch), kept, later);
        tell(first.items, before, 1); // first, so that no sum is nothing for a moment
        tell(before, first.items, -1);
    }

    private static Item item(Row touch) {
        return Item.of(
                touch.getFieldAs("product_id"),
                touch.<Integer>getFieldAs("weight"),
                touch.<Number>getFieldAs("touched_s").longValue());
    }

    private static Item[] firstOf(Item[] before, Item touch, int kept, MapView<String, Item> later)
            throws Exception {
        var items = new ArrayList<>(List.of(before));
        Item known = take(items, touch.productId);
        if (known == null && before.length == kept) {
            known = later.get(touch.productId);
        }
        Item now = known == null ? touch : known.and(touch);
        int place = 0;
        while (place < items.size() && items.get(place).isBefore(now)) {
            place++;
        }
        items.add(place, now);
        if (items.size() > kept) {
            Item last = items.remove(kept);
            later.put(last.productId, last);
            if (known != null && last != now) {
                later.remove(now.productId);
            }
        }
        return items.toArray(Item[]::new);
    }

    private static Item take(List<Item> items, String productId) {
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i).productId.equals(productId)) {
                return items.remove(i);
            }
        }
        return null;
    }

    /** Rows for the pairs that only one of two states of a visit has, a product's with itself among them. */
    private void tell(Item[] items, Item[] others, int sign) {
        var alone = new boolean[items.length];
        for (int i = 0; i < items.length; i++) {
            alone[i] = !contains(others, items[i]);
            for (int j = 0; j <= i; j++) {
                if (alone[i] || alone[j]) {
                    collect(pair(items[j], items[i], sign));
                }
            }
        }
    }

    private static boolean contains(Item[] items, Item sought) {
        for (Item item : items) {
            if (item.isSame(sought)) {
                return true;
            }
        }
        return false;
    }

    private static Row pair(Item earlier, Item later, int sign) {
        boolean swap = later.hasLesserId(earlier);
        return Row.of(
                (swap ? later : earlier).productId,
                (swap ? earlier : later).productId,
                earlier.weight * later.weight,
                later.firstS,
                sign);
    }
}
