"""Live shoppers: visits that go through the API as real ones would."""
