"""Load and comparison programs: each measures the platform beside a bare baseline on the same stack (docs/bench.md)."""
