"""Chooses the drawing of a product by the words of its name and category. Pure."""

import re
from functools import lru_cache

UNKNOWN = "parcel"

_WORDS = {
    "backpack": "backpack hydration",
    "ball": "football ball sports sport leisure",
    "band": "fitness monitor",
    "basket": "basket caddy organiser storage hanging",
    "bath": "bath bathroom bathtub",
    "bear": "bear puppet toys toy plush baby",
    "bench": "bench",
    "bike-light": "light cycling",
    "blanket": "blanket duvet sheet bedding bed blankets",
    "block": "block cork",
    "board": "kickboard swimming",
    "boot": "boots boot ankle",
    "book": "book novel novella biography history cookbook guide tales novels cookbooks science",
    "books": "collection saga atlas chronicle books",
    "bottle": "bottle oil lotion cleanser shampoo conditioner spray health hair drinks",
    "bowl": "bowl baking mixing",
    "bowl-pet": "pet",
    "bricks": "brick castle robot building construction",
    "briefcase": "briefcase luggage",
    "brush": "brush brushes",
    "bucket": "sand bucket",
    "cake": "cake stand",
    "camera": "camera cameras photo audio",
    "candle": "candle",
    "cap": "cap cap hat",
    "car": "car auto",
    "carafe": "carafe pour-over",
    "cards": "card cards party christmas",
    "chair": "chair chairs furniture",
    "charger": "charger bank cable charging chargers pouch",
    "clock": "clock",
    "cream": "cream mask skin",
    "desk": "desk table desks computers office",
    "dice": "dice",
    "dress": "dress dresses fashion",
    "earbuds": "earbuds",
    "fan": "fan air conditioning appliances",
    "frame": "print frame decor art",
    "game": "game games board consoles",
    "glove": "gloves glove",
    "goggles": "goggles",
    "grill": "grill fire grills barbecue",
    "grinder": "grinder",
    "guitar": "musical instruments music",
    "hammock": "hammock",
    "headphones": "headphones headset neckband electronics",
    "helmet": "helmet",
    "jar": "jar spice tea soap-dish pantry food",
    "keyboard": "keyboard rest keyboards accessories",
    "kite": "kite play cool",
    "knife": "knife knives",
    "lamp": "lamp lights lamps light-bulb",
    "lantern": "lantern",
    "lipstick": "lipstick mascara make-up beauty",
    "mat": "mat bolster yoga strap",
    "mirror": "mirror",
    "moka": "moka espresso coffee",
    "mouse": "mouse trackball",
    "mug": "mug cups housewares",
    "necklace": "necklace bracelet",
    "notebook": "notebook planner sketchbook index notebooks stationery",
    "office-chair": "office-chair kneeling",
    "palette": "palette eyeshadow",
    "pan": "pan frying saucepan cookware",
    "pen": "pen pens pencil",
    "perfume": "perfume toilette fragrance perfumery",
    "phone": "phone telephony",
    "pillow": "pillow cushion",
    "plant": "planter plant window garden pots flowers",
    "plate": "plates plate tableware dinner",
    "pot": "pot casserole",
    "pump": "pump",
    "puzzle": "puzzle jigsaw teaser marble puzzles",
    "rabbit": "rabbit",
    "razor": "razor shaving",
    "ring": "ring earrings jewellery",
    "rolling-pin": "rolling",
    "rug": "rug runner rugs tapestry",
    "scooter": "scooter skipping",
    "seeds": "seeds wildflower bulb tomato herb",
    "shears": "shears",
    "shelf": "shelf rack drawer shower",
    "shirt": "shirt t-shirt polo overshirt shirts vest clothing clothes",
    "shoe": "shoes sneakers running loafers sandals pads",
    "sleeve": "sleeve case",
    "soap": "soap",
    "speaker": "speaker soundbar speakers",
    "stool": "stool",
    "stove": "stove",
    "tent": "tent camping sleeping",
    "tools": "tools tool home comfort tongs",
    "torch": "torch",
    "tote": "tote bag bags weekender",
    "towel": "towel",
    "tripod": "tripod",
    "trousers": "trousers chinos jeans joggers",
    "trowel": "trowel fork hand",
    "turntable": "turntable",
    "watch": "watch wearables watches",
    "watering-can": "watering",
    "whale": "whale",
}
"""Drawing → the words that select it, in lower case."""

_PHRASES = {
    "moka pot": "moka", "charging stand": "charger", "window box": "plant",
    "soap dish": "soap", "swim cap": "cap", "swim bag": "tote", "belt bag": "tote",
    "sleeping bag": "mat", "brush set": "brush", "brush pens": "pen", "hair brush": "brush",
    "shaving brush": "brush", "shaving soap": "soap", "shampoo bar": "soap", "watch strap": "watch",
    "camera strap": "camera", "yoga strap": "mat", "bike light": "bike-light", "desk lamp": "lamp",
    "desk mat": "mat", "door mat": "rug", "bath mat": "rug", "card game": "cards", "dice game": "dice",
    "hand puppet": "bear", "garden gloves": "glove", "running cap": "cap", "shelf box": "basket",
    "spice box": "jar", "loose tea": "jar", "face cream": "cream", "face mask": "cream",
    "office chair": "office-chair", "deck chair": "chair", "seat cushion": "pillow", "knife block": "knife",
    "train track": "bricks", "robot kit": "bricks", "pizza stone": "plate", "scented candle": "candle",
    "maths book": "book", "smart watch": "watch", "head torch": "torch", "stock pot": "pot",
    "fire bowl": "grill", "espresso cups": "mug", "coffee grinder": "grinder", "floor pump": "pump",
    "camp stove": "stove", "shower caddy": "basket", "sand set": "bucket", "bulb set": "seeds",
    "beard oil": "bottle", "loaf tin": "pan", "laptop sleeve": "sleeve", "document case": "sleeve",
    "garden furniture": "bench", "bed bath table": "blanket", "skipping rope": "kite",
    "wrist rest": "keyboard", "desk riser": "desk", "coat rack": "shelf", "running vest": "shirt",
    "shirt dress": "dress", "hydration belt": "backpack", "cable pouch": "sleeve", "shin pads": "shoe",
    "string lights": "lantern", "soup bowl": "bowl", "plant pot": "plant", "grill tongs": "grill",
    "barbecue book": "book", "baking book": "book", "head monitor": "band",
}  # fmt: skip
"""Phrase → drawing. A phrase takes precedence over its single words."""

DRAWING = {word: drawing for drawing, words in _WORDS.items() for word in words.split()}


@lru_cache(maxsize=8192)
def drawing(name: str, category: str) -> str:
    """Return the drawing for a product by its name, or by its category if no word of the name selects one.

    The last words take precedence: `Slim Desk Lamp, Teal` is a lamp, `Classic Writing Desk, Sand` a desk.
    """
    for text in (name.partition(",")[0], category):
        words = re.findall(r"[a-z][a-z'-]*", text.lower().replace("_", " "))
        for length in (3, 2, 1):
            for start in range(len(words) - length, -1, -1):
                phrase = " ".join(words[start : start + length])
                if found := (DRAWING.get(phrase) if length == 1 else _PHRASES.get(phrase)):
                    return found
    return UNKNOWN
