"""The category tree: departments and their categories, with product nouns and typical prices."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leaf:
    """A category without children: the nouns of its products and their typical price in major units."""

    name: str
    nouns: tuple[str, ...]
    typical_price: float


TREE: dict[str, tuple[Leaf, ...]] = {
    "Home": (
        Leaf("Lamps", ("Desk Lamp", "Floor Lamp", "Lantern", "String Lights"), 140),
        Leaf("Bedding", ("Duvet Cover", "Pillow", "Wool Blanket", "Fitted Sheet"), 160),
        Leaf("Bathroom", ("Towel Set", "Bath Mat", "Soap Dish", "Shower Caddy"), 70),
        Leaf("Storage", ("Basket", "Shelf Box", "Coat Rack", "Drawer Organiser"), 85),
        Leaf("Wall Decor", ("Framed Print", "Wall Clock", "Mirror", "Tapestry"), 120),
        Leaf("Rugs", ("Runner", "Round Rug", "Door Mat", "Woven Rug"), 260),
    ),
    "Kitchen": (
        Leaf("Cookware", ("Saucepan", "Frying Pan", "Stock Pot", "Casserole"), 180),
        Leaf("Tableware", ("Dinner Plates", "Soup Bowl", "Mug", "Carafe"), 75),
        Leaf("Knives", ("Chef's Knife", "Paring Knife", "Bread Knife", "Knife Block"), 150),
        Leaf("Coffee", ("Moka Pot", "Coffee Grinder", "Pour-Over Set", "Espresso Cups"), 130),
        Leaf("Baking", ("Loaf Tin", "Rolling Pin", "Cake Stand", "Mixing Bowl"), 60),
        Leaf("Pantry", ("Olive Oil", "Spice Box", "Loose Tea", "Honey Jar"), 40),
    ),
    "Electronics": (
        Leaf("Headphones", ("Headphones", "Earbuds", "Headset", "Neckband"), 320),
        Leaf("Speakers", ("Bookshelf Speaker", "Portable Speaker", "Soundbar", "Turntable"), 480),
        Leaf("Chargers", ("Wall Charger", "Power Bank", "Charging Cable", "Charging Stand"), 75),
        Leaf("Cameras", ("Action Camera", "Instant Camera", "Tripod", "Camera Strap"), 620),
        Leaf("Wearables", ("Fitness Band", "Smart Watch", "Watch Strap", "Heart Monitor"), 390),
        Leaf("Keyboards and Mice", ("Mechanical Keyboard", "Mouse", "Trackball", "Wrist Rest"), 240),
    ),
    "Fashion": (
        Leaf("Dresses", ("Summer Dress", "Wrap Dress", "Shirt Dress", "Evening Dress"), 190),
        Leaf("Shirts", ("Linen Shirt", "T-Shirt", "Polo Shirt", "Overshirt"), 95),
        Leaf("Trousers", ("Chinos", "Jeans", "Wide Trousers", "Joggers"), 150),
        Leaf("Shoes", ("Sneakers", "Loafers", "Sandals", "Ankle Boots"), 280),
        Leaf("Bags", ("Tote Bag", "Backpack", "Belt Bag", "Weekender"), 210),
        Leaf("Jewellery", ("Earrings", "Bracelet", "Necklace", "Signet Ring"), 130),
    ),
    "Sports": (
        Leaf("Running", ("Running Shoes", "Running Vest", "Running Cap", "Hydration Belt"), 230),
        Leaf("Cycling", ("Bike Helmet", "Bike Light", "Cycling Gloves", "Floor Pump"), 160),
        Leaf("Camping", ("Two-Person Tent", "Sleeping Bag", "Camp Stove", "Head Torch"), 290),
        Leaf("Yoga", ("Yoga Mat", "Cork Block", "Yoga Strap", "Bolster"), 90),
        Leaf("Football", ("Football", "Shin Pads", "Goalkeeper Gloves", "Football Boots"), 140),
        Leaf("Swimming", ("Goggles", "Swim Cap", "Kickboard", "Swim Bag"), 65),
    ),
    "Toys": (
        Leaf("Puzzles", ("Jigsaw", "Wooden Puzzle", "Brain Teaser", "Marble Run"), 80),
        Leaf("Building Sets", ("Brick Set", "Train Track", "Robot Kit", "Castle Set"), 210),
        Leaf("Soft Toys", ("Bear", "Rabbit", "Whale", "Hand Puppet"), 70),
        Leaf("Board Games", ("Strategy Game", "Card Game", "Dice Game", "Party Game"), 140),
        Leaf("Outdoor Play", ("Kite", "Scooter", "Sand Set", "Skipping Rope"), 110),
    ),
    "Books": (
        Leaf("Novels", ("Novel", "Story Collection", "Saga", "Novella"), 48),
        Leaf("Cookbooks", ("Cookbook", "Baking Book", "Barbecue Book", "Vegetable Book"), 95),
        Leaf("Children's Books", ("Picture Book", "Bedtime Book", "Activity Book", "Fairy Tales"), 52),
        Leaf("History", ("History", "Biography", "Atlas", "Chronicle"), 78),
        Leaf("Science", ("Field Guide", "Popular Science", "Maths Book", "Star Atlas"), 88),
    ),
    "Beauty": (
        Leaf("Skin Care", ("Face Cream", "Cleanser", "Sun Lotion", "Face Mask"), 85),
        Leaf("Hair Care", ("Shampoo Bar", "Hair Oil", "Hair Brush", "Conditioner"), 55),
        Leaf("Fragrance", ("Eau de Toilette", "Scented Candle", "Perfume Oil", "Room Spray"), 190),
        Leaf("Make-Up", ("Lipstick", "Mascara", "Eyeshadow Palette", "Brush Set"), 75),
        Leaf("Shaving", ("Safety Razor", "Shaving Brush", "Shaving Soap", "Beard Oil"), 90),
    ),
    "Garden": (
        Leaf("Pots", ("Plant Pot", "Hanging Planter", "Window Box", "Watering Can"), 65),
        Leaf("Tools", ("Trowel", "Pruning Shears", "Hand Fork", "Garden Gloves"), 70),
        Leaf("Seeds", ("Herb Seeds", "Wildflower Mix", "Tomato Seeds", "Bulb Set"), 28),
        Leaf("Grills", ("Charcoal Grill", "Grill Tongs", "Fire Bowl", "Pizza Stone"), 340),
        Leaf("Garden Furniture", ("Deck Chair", "Hammock", "Folding Table", "Garden Bench"), 420),
    ),
    "Office": (
        Leaf("Notebooks", ("Notebook", "Sketchbook", "Day Planner", "Index Cards"), 45),
        Leaf("Pens", ("Fountain Pen", "Gel Pens", "Mechanical Pencil", "Brush Pens"), 60),
        Leaf("Desks", ("Standing Desk", "Writing Desk", "Desk Riser", "Desk Mat"), 690),
        Leaf("Chairs", ("Office Chair", "Stool", "Kneeling Chair", "Seat Cushion"), 560),
        Leaf("Bags and Sleeves", ("Laptop Sleeve", "Briefcase", "Document Case", "Cable Pouch"), 120),
    ),
}  # fmt: skip
"""Department → its leaves. A product's `category` is the name of its leaf."""

DEPARTMENTS: tuple[str, ...] = tuple(TREE)
LEAVES: tuple[Leaf, ...] = tuple(leaf for leaves in TREE.values() for leaf in leaves)
DEPARTMENT_OF: tuple[int, ...] = tuple(number for number, leaves in enumerate(TREE.values()) for _ in leaves)
"""The index in DEPARTMENTS of each of LEAVES."""
