"""Working time: which seconds count."""
