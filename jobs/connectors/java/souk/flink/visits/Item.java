package souk.flink.visits;

import org.apache.flink.table.data.StringData;

/** A product of a visit: the most that was done with it, and when it came first. Public fields make it a state of Flink. */
public class Item {
    public String productId;
    public int weight;
    public long firstS;

    static Item of(String productId, int weight, long firstS) {
        var item = new Item();
        item.productId = productId;
        item.weight = weight;
        item.firstS = firstS;
        return item;
    }

    /** What is known of the product after another touch; the same in whatever order touches come. */
    Item and(Item touch) {
        return of(productId, Math.max(weight, touch.weight), Math.min(firstS, touch.firstS));
    }

    boolean isBefore(Item other) {
        return firstS == other.firstS ? hasLesserId(other) : firstS < other.firstS;
    }

    /** As SQL compares, by the bytes of UTF-8. */
    boolean hasLesserId(Item other) {
        return StringData.fromString(productId).compareTo(StringData.fromString(other.productId)) < 0;
    }

    boolean isSame(Item other) {
        return weight == other.weight && firstS == other.firstS && productId.equals(other.productId);
    }
}
