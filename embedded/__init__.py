"""The default stack for one machine: PostgreSQL and a Temporal dev server as child processes."""
