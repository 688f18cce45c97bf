package souk.flink.visits;

import org.apache.flink.table.data.StringData;

/**
 * A product of a visit: its highest weight and the time of its first touch. Flink stores the public fields as state; a
 * renamed field or class makes old state unreadable.
 */
public class VisitProduct {
    public String productId;
    public int weight;
    public long firstS;

    static VisitProduct of(String productId, int weight, long firstS) {
        var item = new VisitProduct();
        item.productId = productId;
        item.weight = weight;
        item.firstS = firstS;
        return item;
    }

    /** Returns the product after another touch; the result does not depend on the order of touches. */
    VisitProduct merge(VisitProduct touch) {
        return of(productId, Math.max(weight, touch.weight), Math.min(firstS, touch.firstS));
    }

    boolean isBefore(VisitProduct other) {
        return firstS == other.firstS ? hasLesserId(other) : firstS < other.firstS;
    }

    /** Compares ids as SQL does, by the bytes of UTF-8. */
    boolean hasLesserId(VisitProduct other) {
        return StringData.fromString(productId).compareTo(StringData.fromString(other.productId)) < 0;
    }

    boolean isSame(VisitProduct other) {
        return weight == other.weight && firstS == other.firstS && productId.equals(other.productId);
    }
}
