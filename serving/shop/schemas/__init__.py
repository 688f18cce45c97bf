"""The shapes of what shoppers and sellers send and get, as the API describes them."""
